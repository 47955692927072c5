package io.millrace.it.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSources;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Helm chart, rendered by Helm's engine, and the plain manifests that are made from it. */
@Tag("sockets")
class ChartTest {
    private static final Path CHART = Path.of("..", "charts", "millrace");
    private static final Path PLAIN = Path.of("..", "kubernetes");
    private static final Path WRITTEN = Path.of("target", "kubernetes");
    private static final Pattern SECRET = Pattern.compile("/run/secrets/\\S+");
    private static final Pattern QUERY =
            Pattern.compile("sum\\(millrace_open_streams\\{namespace=\"llm\", pod=~\"(?<pods>[^\"]+)\"}\\)");
    private static final String HASH = "a".repeat(64);
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    /** Values that are refused, and the error: the place and what is wrong there. */
    private static final Map<String, String> WRONG = new TreeMap<>(Map.ofEntries(
            Map.entry("replicas: two", "- replicas: Invalid type. Expected: integer"),
            Map.entry("replica: 2", "- (root): Additional property replica is not allowed"),
            Map.entry("image: {repository: ''}", "- image.repository: String length must be greater than"),
            Map.entry("config: {listen: ':80'}", "- config: Must not validate the schema (not)"),
            Map.entry("redis: {url: 'redis://redis:6379'}", "- redis.existingSecret: String length must be greater"),
            Map.entry("config: {timeouts: {drain: 1h}}", "- config.timeouts: Must not validate the schema (not)"),
            Map.entry("stop: {drainSeconds: 10m}", "- stop.drainSeconds: Invalid type. Expected: integer"),
            Map.entry("service: {type: Ingress}", "- service.type: service.type must be one of the following"),
            Map.entry(
                    "keda: {enabled: true}\nautoscaling: {enabled: true}",
                    "- (root): Must not validate the schema (not)"),
            Map.entry("secrets: [a, a]", "- secrets: array items[0,1] must be unique"),
            Map.entry("bind: localhost:80", "- bind: Does not match pattern"),
            // A load balancer outside of the cluster is in no namespace.
            Map.entry(
                    "service: {type: LoadBalancer}\nnetworkPolicy: {clients: [{namespaceSelector: {}}]}",
                    "networkPolicy.clients: no ipBlock, so service.type LoadBalancer cannot reach the pods")));

    private static final X509Bundle CERTIFICATE = certificate();
    private static final Map<String, String> RENDERED = new TreeMap<>();

    @TempDir
    private static Path directory;

    @BeforeAll
    static void render() throws IOException, InterruptedException {
        var values = new ArrayList<Path>();
        try (var files = Files.list(CHART.resolve("ci"))) {
            for (Path file : files.sorted().toList()) {
                values.add(Files.copy(file, directory.resolve(file.getFileName())));
            }
        }
        for (Map.Entry<String, String> wrong : WRONG.entrySet()) {
            values.add(Files.writeString(directory.resolve("wrong-" + values.size()), wrong.getKey()));
        }
        RENDERED.putAll(HelmRenderer.render(CHART, values));
    }

    /** scripts/release writes the version of the release in place of it. */
    @Test
    void hasTheVersionOfTheBuild() throws IOException {
        assertThat(Files.readAllLines(CHART.resolve("Chart.yaml")))
                .contains("version: " + System.getProperty("millrace.version"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"default-values.yaml", "full-values.yaml", "keda-values.yaml", "ipv6-values.yaml"})
    void isOfTheTypesOfTheApiAndHasAFileThatTheRelayReads(String values) throws IOException {
        List<Object> objects = objects(values);
        PodSpec pod = only(objects, Deployment.class).getSpec().getTemplate().getSpec();
        Container relay = pod.getContainers().get(0);
        RelayConfig config = config(only(objects, ConfigMap.class));

        long preStop = relay.getLifecycle() == null
                ? 0
                : Long.parseLong(
                        relay.getLifecycle().getPreStop().getExec().getCommand().get(1));
        var timeouts = config.timeouts();
        assertThat(pod.getTerminationGracePeriodSeconds())
                .isGreaterThanOrEqualTo(preStop
                        + timeouts.shutdownDelay().plus(timeouts.drain()).toSeconds()
                        + 10);
        // A deleted pod serves on while the endpoints forget it. One late answer takes no pod out of service.
        assertThat(preStop + timeouts.shutdownDelay().toSeconds()).isGreaterThanOrEqualTo(5);
        var readiness = relay.getReadinessProbe();
        assertThat(readiness.getHttpGet().getPath()).isEqualTo("/readyz");
        assertThat(readiness.getFailureThreshold()).isGreaterThan(1);
        assertThat(config.listeners()).extracting(Listener::isAdmin).containsExactly(false, true);
        assertThat(config.listeners().get(1).serves())
                .containsExactlyInAnyOrder(Listener.Served.HEALTH, Listener.Served.METRICS);

        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(relay.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(relay.getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
        assertThat(relay.getVolumeMounts()).allMatch(VolumeMount::getReadOnly);
        assertThat(pod.getVolumes())
                .extracting(Volume::getName)
                .containsExactlyElementsOf(relay.getVolumeMounts().stream()
                        .map(VolumeMount::getName)
                        .toList())
                .allMatch(name -> LABEL.matcher(name).matches());
        assertThat(relay.getEnv()).noneMatch(variable -> variable.getValueFrom() != null); // secrets are files
    }

    @Test
    void hasAllThatIsAskedFor() throws IOException {
        List<Object> objects = objects("full-values.yaml");
        Deployment deployment = only(objects, Deployment.class);
        Map<String, String> selector = deployment.getSpec().getSelector().getMatchLabels();
        assertThat(deployment.getSpec().getTemplate().getMetadata().getLabels()).containsAllEntriesOf(selector);
        assertThat(deployment.getSpec().getReplicas()).isNull(); // the autoscaler's
        assertThat(only(objects, PodDisruptionBudget.class)
                        .getSpec()
                        .getSelector()
                        .getMatchLabels())
                .isEqualTo(selector);
        assertThat(only(objects, NetworkPolicy.class).getSpec().getPodSelector().getMatchLabels())
                .isEqualTo(selector);
        var scaled = only(objects, HorizontalPodAutoscaler.class).getSpec();
        assertThat(scaled.getScaleTargetRef().getName())
                .isEqualTo(deployment.getMetadata().getName());
        assertThat(scaled.getMetrics().get(0).getPods().getMetric().getName()).isEqualTo("millrace_open_streams");
        Map<String, String> watched =
                only(objects, ServiceMonitor.class).getSpec().getSelector().getMatchLabels();
        assertThat(objects.stream()
                        .filter(Service.class::isInstance)
                        .map(service -> ((Service) service).getMetadata().getLabels())
                        .filter(labels -> labels.entrySet().containsAll(watched.entrySet())))
                .hasSize(1);
        RelayConfig config = config(only(objects, ConfigMap.class));
        assertThat(config.clients().redis()).isNotNull();
        assertThat(config.resume().redis()).isNotNull();
        assertThat(config.listeners().get(0).tls()).isNotNull();
        assertThat(config.upstreams()).containsOnlyKeys("openai", "anthropic");
        // Each file that the configuration names is mounted.
        var mounts = deployment.getSpec().getTemplate().getSpec().getContainers().get(0).getVolumeMounts().stream()
                .map(mount -> mount.getMountPath() + "/")
                .toList();
        assertThat(SECRET.matcher(only(objects, ConfigMap.class).getData().get("millrace.yaml"))
                        .results()
                        .map(file -> file.group()))
                .hasSize(8)
                .allMatch(file -> mounts.stream().anyMatch(file::startsWith));
    }

    /** The labels that its query asks for are of the pods, and it removes pods as slowly as the other autoscaler. */
    @Test
    void kedaScalesByOpenStreams() throws IOException {
        List<Object> objects = objects("keda-values.yaml");
        var scaled = (JsonNode)
                objects.stream().filter(JsonNode.class::isInstance).findFirst().orElseThrow();
        assertThat(scaled.path("spec").fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder(
                        "scaleTargetRef", "minReplicaCount", "maxReplicaCount", "advanced", "triggers");
        assertThat(KubernetesTypes.as(
                        scaled.at("/spec/advanced/horizontalPodAutoscalerConfig/behavior"),
                        HorizontalPodAutoscalerBehavior.class))
                .isEqualTo(only(objects("full-values.yaml"), HorizontalPodAutoscaler.class)
                        .getSpec()
                        .getBehavior());
        JsonNode trigger = scaled.at("/spec/triggers/0/metadata");
        assertThat(trigger.path("ignoreNullValues").asText()).isEqualTo("false");
        var query = QUERY.matcher(trigger.path("query").asText());
        assertThat(query.matches()).as(trigger.path("query").asText()).isTrue();
        String name = only(objects, Deployment.class).getMetadata().getName();
        assertThat(name + "-7c9d5b8f6d-x2x4z").matches(query.group("pods"));
        assertThat(name + "-other-7c9d5b8f6d-x2x4z").doesNotMatch(query.group("pods"));
    }

    @Test
    void listensWhereItIsAskedTo() throws IOException {
        assertThat(config(only(objects("default-values.yaml"), ConfigMap.class)).listeners())
                .extracting(Listener::address)
                .containsExactly(ListenAddress.parse("0.0.0.0:8080"), ListenAddress.parse("0.0.0.0:9090"));
        assertThat(config(only(objects("ipv6-values.yaml"), ConfigMap.class)).listeners())
                .extracting(Listener::address)
                .containsExactly(ListenAddress.parse("[::]:8080"), ListenAddress.parse("[::]:9090"));
    }

    @Test
    void refusesWrongValues() {
        int seen = 0;
        int at = RENDERED.size() - WRONG.size();
        for (Map.Entry<String, String> wrong : WRONG.entrySet()) {
            assertThat(RENDERED.get("wrong-" + at++))
                    .as(wrong.getKey())
                    .startsWith("error: ")
                    .contains(wrong.getValue());
            seen++;
        }
        assertThat(seen).isEqualTo(WRONG.size());
    }

    @Test
    void thePlainManifestsAreThoseOfTheChart() throws IOException {
        Files.createDirectories(WRITTEN);
        var made = Map.of(
                "millrace.yaml", "default-values.yaml",
                "millrace-full.yaml", "full-values.yaml",
                "millrace-keda.yaml", "keda-values.yaml");
        var different = new ArrayList<String>();
        for (Map.Entry<String, String> file : made.entrySet()) {
            String text = "# Made from charts/millrace with ci/" + file.getValue() + " by scripts/manifests.\n"
                    + RENDERED.get(file.getValue()).strip() + "\n";
            Files.writeString(WRITTEN.resolve(file.getKey()), text);
            Path plain = PLAIN.resolve(file.getKey());
            if (!Files.exists(plain) || !Files.readString(plain).equals(text)) {
                different.add(file.getKey());
            }
        }
        assertThat(different)
                .as("run scripts/manifests, or copy from " + WRITTEN)
                .isEmpty();
    }

    private List<Object> objects(String values) throws IOException {
        assertThat(RENDERED.get(values)).doesNotStartWith("error: ");
        return KubernetesTypes.read(RENDERED.get(values));
    }

    private static X509Bundle certificate() {
        try {
            return new CertificateBuilder()
                    .subject("CN=localhost")
                    .addSanDnsName("localhost")
                    .setIsCertificateAuthority(true)
                    .algorithm(CertificateBuilder.Algorithm.ecp256)
                    .buildSelfSigned();
        } catch (Exception e) { // GeneralSecurityException or IOException: as it declares
            throw new IllegalStateException(e);
        }
    }

    private static <T> T only(List<Object> objects, Class<T> type) {
        List<T> found =
                objects.stream().filter(type::isInstance).map(type::cast).toList();
        assertThat(found).as(type.getSimpleName()).hasSize(1);
        return found.get(0);
    }

    /** Read by the relay, with secrets in place of the mounted ones, of the mode that they have in a pod. */
    private static RelayConfig config(ConfigMap map) throws IOException {
        String yaml = map.getData().get("millrace.yaml");
        Path secrets = directory.resolve("secrets");
        for (String file : SECRET.matcher(yaml)
                .results()
                .map(found -> found.group().substring("/run/secrets/".length()))
                .toList()) {
            Path secret = secrets.resolve(file);
            Files.createDirectories(secret.getParent());
            Files.deleteIfExists(secret);
            Files.writeString(secret, content(file));
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("r--r-----"));
        }
        Path file =
                Files.writeString(directory.resolve("millrace.yaml"), yaml.replace("/run/secrets", secrets.toString()));
        return ConfigLoader.load(new ConfigSources(file, Map.of(), Map.of(), () -> URI.create("http://127.0.0.1:1")));
    }

    private static String content(String secret) {
        return switch (secret.substring(secret.lastIndexOf('/') + 1)) {
            case "clients.yaml" -> "clients: {web: {keys: [{sha256: " + HASH + "}]}}";
            case "tls.crt" -> CERTIFICATE.getCertificatePathPEM();
            case "tls.key" -> CERTIFICATE.getPrivateKeyPEM();
            default -> HASH;
        };
    }
}
