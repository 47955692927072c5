/**
 * What Millrace is deployed with: the Helm chart and the plain manifests, and the examples.
 *
 * <p>{@code HelmRenderer} runs Helm's engine in a process of its own, because it is written in Go and takes over signals. {@code
 * KubernetesTypes} reads manifests as strictly as the API server does. {@code ExamplesTest} starts each example.
 */
package io.millrace.it.deploy;
