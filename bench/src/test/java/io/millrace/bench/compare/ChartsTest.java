package io.millrace.bench.compare;

import static io.millrace.bench.compare.Runs.results;
import static io.millrace.bench.compare.Runs.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

class ChartsTest {
    private static Document parse(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    }

    private static double width(Document svg, int bar) {
        var rect = svg.getElementsByTagName("rect").item(bar);
        return Double.parseDouble(rect.getAttributes().getNamedItem("width").getNodeValue());
    }

    @Test
    void drawsBarsAsLongAsTheirFigures() throws Exception {
        var svg = parse(Charts.compare(results(
                run("cpu", Peer.NGINX, 1, 50, 20),
                run("cpu", Peer.HAPROXY, 1, 50, 30),
                run("cpu", Peer.MILLRACE, 1, 50, 10))));

        assertThat(svg.getElementsByTagName("rect").getLength()).isEqualTo(3);
        assertThat(width(svg, 0) / width(svg, 2)).isBetween(1.99, 2.01);
        assertThat(width(svg, 1) / width(svg, 2)).isBetween(2.99, 3.01);
    }

    @Test
    void cutsBarThatWouldMakeTheOthersDisappear() throws Exception {
        String drawing = Charts.compare(results(
                run("cpu", Peer.NGINX, 1, 50, 20),
                run("cpu", Peer.FASTAPI, 1, 50, 500),
                run("cpu", Peer.MILLRACE, 1, 50, 20)));

        var svg = parse(drawing);
        assertThat(width(svg, 1)).isEqualTo(width(svg, 0));
        assertThat(drawing).contains(">500.0 s<", "A bar with a gap is cut");
        assertThat(svg.getElementsByTagName("path").getLength()).isEqualTo(1);
    }

    @Test
    void drawsLinePerNumberOfEventLoops() throws Exception {
        var svg = parse(Charts.scale(results(
                run("scale", Peer.MILLRACE, 1, 1, 10, 40, 20, 0, null),
                run("scale", Peer.MILLRACE, 1, 1, 9000, 40, 30, 0, null),
                run("scale", Peer.MILLRACE, 1, 2, 10, 40, 25, 0, null))));

        int keys = 2;
        assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(3 + keys);
    }

    @Test
    void drawsNothingOfNothing() throws Exception {
        assertThat(parse(Charts.compare(results())).getElementsByTagName("rect").getLength())
                .isZero();
        assertThat(parse(Charts.scale(results())).getElementsByTagName("circle").getLength())
                .isZero();
    }
}
