package io.millrace.server.config.file;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.millrace.server.config.file.Node.Place;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** What is wrong with the syntax of a file, in words for who wrote it, and the place of it. */
final class YamlWords {
    private YamlWords() {}

    static Place place(JsonProcessingException failure) {
        if (failure.getCause() instanceof MarkedYAMLException yaml && yaml.getProblemMark() != null) {
            String problem = String.valueOf(yaml.getProblem());
            boolean sinceThen = problem.startsWith("found unexpected end of stream")
                    || problem.startsWith("could not find expected ':'");
            Mark begin = yaml.getContextMark();
            Mark mark = sinceThen && begin != null ? begin : yaml.getProblemMark();
            return new Place(mark.getLine() + 1, mark.getColumn() + 1);
        }
        JsonLocation location = failure.getLocation();
        return location == null ? new Place(1, 1) : new Place(location.getLineNr(), location.getColumnNr());
    }

    static String of(JsonProcessingException failure) {
        if (!(failure.getCause() instanceof MarkedYAMLException yaml)) {
            return "is not valid: " + firstLine(failure.getOriginalMessage());
        }
        String problem = String.valueOf(yaml.getProblem());
        if (problem.startsWith("found character '\\t(TAB)'") || problem.startsWith("found a tab character")) {
            return "a tab (expected: spaces, which YAML indents with)";
        }
        if (problem.startsWith("found character '")) {
            String character = problem.substring("found character '".length(), problem.indexOf('\'', 17));
            return "a value that begins with " + character.replaceAll("\\(.*", "") + " (expected: quotes around it)";
        }
        if (problem.startsWith("mapping values are not allowed")) {
            return "a ':' where no key can be (expected: keys of one section at one indent, and quotes around a value"
                    + " with ': ' in it)";
        }
        if (problem.startsWith("expected <block end>")) {
            return "another indent than the section's" + since(yaml.getContextMark())
                    + " (expected: keys of one section at one indent)";
        }
        if (problem.startsWith("expected ','") || problem.startsWith("did not find expected ','")) {
            String close = problem.contains("']'") ? "]" : "}";
            String open = close.equals("]") ? "[" : "{";
            return open + " is not closed" + since(yaml.getContextMark()) + " (expected: ',' or '" + close + "')";
        }
        if (problem.startsWith("could not find expected ':'")) {
            return "a line without ':' (expected: key: value)";
        }
        if (problem.startsWith("found unexpected end of stream")) {
            return "a quote is not closed";
        }
        if (problem.startsWith("found unknown escape character")) {
            return "a backslash with an unknown letter (expected: '…' around a text with backslashes)";
        }
        return "is no YAML: " + firstLine(problem);
    }

    private static String since(Mark mark) {
        return mark == null ? "" : ", which begins in line " + (mark.getLine() + 1);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }
}
