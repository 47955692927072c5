package io.millrace.server.listen;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Converts names of users to the numbers of the kernel. */
final class UserNumbers {
    private static final Path USERS = Path.of("/etc/passwd");
    private static final int MOST_DIGITS = 9;

    private UserNumbers() {}

    /**
     * The numbers of these users.
     *
     * @param users names of {@code /etc/passwd}, or numbers
     * @throws IOException if a name is not there
     */
    static Set<Integer> of(List<String> users) throws IOException {
        var numbers = new HashSet<Integer>();
        for (String user : users) {
            numbers.add(isNumber(user) ? Integer.parseInt(user) : numberOf(user));
        }
        return numbers;
    }

    private static int numberOf(String name) throws IOException {
        for (String line : Files.readAllLines(USERS, StandardCharsets.ISO_8859_1)) {
            String[] fields = line.split(":", -1);
            if (fields.length > 2 && fields[0].equals(name) && isNumber(fields[2])) {
                return Integer.parseInt(fields[2]);
            }
        }
        throw new IOException("'" + name + "' is not in " + USERS + " (expected: one of its names, or a number)");
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() <= MOST_DIGITS && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
