package io.millrace.it.deploy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads manifests as the API server does with strict validation: an unknown field, or one of another type, is an error. */
final class KubernetesTypes {
    private static final Map<String, Class<?>> TYPES = Map.of(
            "v1/ConfigMap", ConfigMap.class,
            "v1/Service", Service.class,
            "apps/v1/Deployment", Deployment.class,
            "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class,
            "autoscaling/v2/HorizontalPodAutoscaler", HorizontalPodAutoscaler.class,
            "networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class,
            "monitoring.coreos.com/v1/ServiceMonitor", ServiceMonitor.class);
    /** It has no types of its own in Java. */
    private static final String KEDA = "keda.sh/v1alpha1/ScaledObject";

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    /** The types keep what they do not know. Here they do not. */
    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });

    private KubernetesTypes() {}

    /** The objects of a file, in its order; a {@link JsonNode} for KEDA's. */
    static List<Object> read(String manifests) throws IOException {
        var objects = new ArrayList<>();
        try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(manifests)) {
            while (documents.hasNextValue()) {
                JsonNode document = documents.nextValue();
                if (document.isObject()) {
                    objects.add(read(document));
                }
            }
        }
        return objects;
    }

    private static Object read(JsonNode document) throws JsonProcessingException {
        String kind = document.path("apiVersion").asText() + "/"
                + document.path("kind").asText();
        if (kind.equals(KEDA)) {
            return document;
        }
        Class<?> type = TYPES.get(kind);
        if (type == null) {
            throw new IllegalArgumentException(kind + " is no known type");
        }
        return as(document, type);
    }

    /** A part of an object, as its type. */
    static <T> T as(JsonNode part, Class<T> type) throws JsonProcessingException {
        return STRICT.treeToValue(part, type);
    }
}
