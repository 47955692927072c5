package io.millrace.bench.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.tls.TlsFailure;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/**
 * Finds out why there is no stream: from the status and the body of the answer, or from the failure of the connection.
 */
final class Refusal {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern TITLE = Pattern.compile("(?is)<title>\\s*(.*?)\\s*</title>");
    private static final int LONGEST = 160;

    private Refusal() {}

    static Ailment of(Answer answer) {
        String text = answer.text().toLowerCase(Locale.ROOT);
        return switch (answer.status()) {
            case 200 -> isPage(answer) ? Ailment.WEB_PAGE : Ailment.CONTENT_TYPE;
            case 301, 302, 303, 307, 308 -> Ailment.REDIRECTED;
            case 400 -> text.contains("https") ? Ailment.SPEAKS_TLS : Ailment.REFUSED;
            case 401, 403, 407 -> Ailment.KEY;
            case 404, 405, 410 -> Ailment.NO_API;
            case 429 -> Ailment.LIMITED;
            case 502, 503, 504, 520, 521, 522, 523, 524 -> Ailment.SERVER_BEHIND;
            default -> Ailment.REFUSED;
        };
    }

    static Ailment of(IOException failure) {
        if (failure instanceof UnknownHostException) {
            return Ailment.NO_SUCH_NAME;
        }
        if (failure instanceof SSLException) {
            return switch (TlsFailure.of(failure)) {
                case NOT_TLS -> Ailment.SPEAKS_NO_TLS;
                case UNTRUSTED -> Ailment.UNTRUSTED;
                default -> Ailment.TLS;
            };
        }
        return failure instanceof Probe.TlsAnswer ? Ailment.SPEAKS_TLS : Ailment.UNREACHABLE;
    }

    /** The failure of the connection, in words for people who do not know Java. */
    static String words(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof UnknownHostException) {
            return "the name " + message.replaceAll(":.*", "") + " does not resolve";
        }
        if (failure instanceof SSLException) {
            return TlsFailure.words(failure);
        }
        if (failure instanceof SocketTimeoutException) {
            return "nothing came in time";
        }
        if (failure instanceof NoRouteToHostException) {
            return "there is no route to the host";
        }
        return failure instanceof ConnectException ? "the connection was refused" : message;
    }

    /** The status, and the reason that the body gives, in one line. */
    static String words(Answer answer) {
        String said = said(answer.text());
        String location = answer.header("location");
        return "status " + answer.status() + (location == null ? "" : " to " + location)
                + (said.isEmpty() ? "" : ": " + said);
    }

    /** An error's message, a page's title, or the first line. */
    static String said(String body) {
        String said = body.strip();
        var title = TITLE.matcher(said);
        if (title.find()) {
            said = "a page with the title \"" + title.group(1) + "\"";
        } else if (said.startsWith("{") || said.startsWith("[")) {
            said = message(said);
        }
        String line = said.lines().findFirst().orElse("").strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }

    private static String message(String json) {
        try {
            var tree = JSON.readTree(json);
            var message = (tree.isArray() ? tree.path(0) : tree).path("error");
            String text = message.isTextual()
                    ? message.asText()
                    : message.path("message").asText();
            return text.isEmpty() ? json.replaceAll("\\s+", " ") : text;
        } catch (JsonProcessingException e) {
            return json;
        }
    }

    static boolean isPage(Answer answer) {
        return answer.headers()
                .getOrDefault("content-type", "")
                .toLowerCase(Locale.ROOT)
                .startsWith("text/html");
    }
}
