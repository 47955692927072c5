package io.millrace.server.telemetry;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Writes metrics in Prometheus' protobuf format, the only one that has native histograms: messages {@code
 * io.prometheus.client.MetricFamily}, each after its length. Fields that this relay does not use are left out.
 */
final class ProtobufWriter {
    static final String CONTENT_TYPE =
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

    /** What a media range must have to mean this format. There are other encodings of it. */
    private static final List<String> ASKED =
            List.of("application/vnd.google.protobuf", "proto=io.prometheus.client.metricfamily", "encoding=delimited");

    private ProtobufWriter() {}

    /**
     * Whether the field {@code Accept} prefers this format: it has the highest weight, and comes first of those with that
     * weight.
     */
    static boolean accepts(String accept) {
        double most = 0;
        boolean preferred = false;
        for (String range : accept.split(",", -1)) {
            List<String> parts = Stream.of(range.split(";", -1))
                    .map(part -> part.replaceAll("[\\s\"]", "").toLowerCase(Locale.ROOT))
                    .toList();
            double weight = weight(parts);
            if (weight > most) {
                most = weight;
                preferred = parts.containsAll(ASKED);
            }
        }
        return preferred;
    }

    /** The weight of a media range; 0 if it is not a number. */
    private static double weight(List<String> parts) {
        String last = parts.stream()
                .filter(part -> part.startsWith("q="))
                .reduce((one, next) -> next)
                .orElse("q=1");
        try {
            return Double.parseDouble(last.substring(2));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    static void write(OutputStream out, Iterable<MetricSnapshot> metrics) throws IOException {
        for (MetricSnapshot metric : metrics) {
            var delimited = new Message();
            family(metric).writeTo(delimited);
            delimited.bytes.writeTo(out);
        }
    }

    private static Message family(MetricSnapshot metric) {
        var kind = Kind.of(metric);
        var family = new Message()
                .text(1, metric.getMetadata().getPrometheusName() + kind.suffix)
                .text(2, metric.getMetadata().getHelp());
        family.number(3, kind.type);
        for (DataPointSnapshot point : metric.getDataPoints()) {
            family.message(4, point(point));
        }
        return family;
    }

    private static Message point(DataPointSnapshot point) {
        var metric = new Message();
        point.getLabels()
                .forEach(label ->
                        metric.message(1, new Message().text(1, label.getName()).text(2, label.getValue())));
        if (point instanceof GaugeDataPointSnapshot gauge) {
            metric.message(2, new Message().real(1, gauge.getValue()));
        } else if (point instanceof CounterDataPointSnapshot counter) {
            metric.message(3, new Message().real(1, counter.getValue()));
        } else if (point instanceof SummaryDataPointSnapshot summary) {
            metric.message(4, new Message().number(1, summary.getCount()).real(2, summary.getSum()));
        } else if (point instanceof HistogramDataPointSnapshot histogram) {
            metric.message(7, histogram(histogram));
        } else if (point instanceof InfoDataPointSnapshot) {
            metric.message(2, new Message().real(1, 1));
        } else {
            throw new IllegalArgumentException("metric: " + point.getClass());
        }
        return metric;
    }

    private static Message histogram(HistogramDataPointSnapshot histogram) {
        var message = new Message().number(1, histogram.getCount()).real(2, histogram.getSum());
        ClassicHistogramBuckets classic = histogram.getClassicBuckets();
        long cumulative = 0;
        for (int i = 0; i < classic.size(); i++) {
            cumulative += classic.getCount(i);
            message.message(3, new Message().number(1, cumulative).real(2, classic.getUpperBound(i)));
        }
        if (histogram.hasNativeHistogramData()) {
            message.number(5, zigZag(histogram.getNativeSchema()));
            message.real(6, histogram.getNativeZeroThreshold()).number(7, histogram.getNativeZeroCount());
            addNative(message, histogram.getNativeBucketsForPositiveValues());
        }
        return message;
    }

    /** Runs of buckets with their distances, and each count as the difference to the one before it. */
    private static void addNative(Message message, NativeHistogramBuckets buckets) {
        int spanEnd = 0;
        for (int from = 0; from < buckets.size(); ) {
            int to = from + 1;
            while (to < buckets.size() && buckets.getBucketIndex(to) == buckets.getBucketIndex(to - 1) + 1) {
                to++;
            }
            int begin = buckets.getBucketIndex(from);
            message.message(12, new Message().number(1, zigZag(begin - spanEnd)).number(2, to - from));
            spanEnd = begin + to - from;
            from = to;
        }
        long before = 0;
        for (int i = 0; i < buckets.size(); i++) {
            message.number(13, zigZag(buckets.getCount(i) - before));
            before = buckets.getCount(i);
        }
        if (buckets.size() == 0) {
            // A span without buckets tells an empty native histogram from a classic one.
            message.message(12, new Message().number(1, 0).number(2, 0));
        }
    }

    private static long zigZag(long value) {
        return (value << 1) ^ (value >> 63);
    }

    /** The types of the format, and what the names of their metrics end with. */
    private enum Kind {
        COUNTER(0, "_total"),
        GAUGE(1, ""),
        SUMMARY(2, ""),
        HISTOGRAM(4, ""),
        INFO(1, "_info");

        private final int type;
        private final String suffix;

        Kind(int type, String suffix) {
            this.type = type;
            this.suffix = suffix;
        }

        private static Kind of(MetricSnapshot metric) {
            if (metric instanceof CounterSnapshot) {
                return COUNTER;
            } else if (metric instanceof GaugeSnapshot) {
                return GAUGE;
            } else if (metric instanceof SummarySnapshot) {
                return SUMMARY;
            } else if (metric instanceof HistogramSnapshot) {
                return HISTOGRAM;
            } else if (metric instanceof InfoSnapshot) {
                return INFO;
            }
            throw new IllegalArgumentException("metric: " + metric.getClass());
        }
    }

    /** The fields of a message of protobuf. */
    private static final class Message {
        private static final int VARINT = 0;
        private static final int FIXED_64 = 1;
        private static final int BYTES = 2;

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint((long) field << 3 | VARINT);
            varint(value);
            return this;
        }

        Message real(int field, double value) {
            varint((long) field << 3 | FIXED_64);
            long bits = Double.doubleToLongBits(value);
            for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
                bytes.write((int) (bits >>> shift));
            }
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.bytes.toByteArray());
        }

        /** Appends the message to another stream, after its length. */
        void writeTo(Message out) {
            out.varint(bytes.size());
            out.bytes.writeBytes(bytes.toByteArray());
        }

        private Message bytes(int field, byte[] value) {
            varint((long) field << 3 | BYTES);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                bytes.write((int) ((rest & 0x7f) | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }
    }
}
