package io.millrace.codec.test;

import io.netty.util.LeakPresenceDetector;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class that leaves a reference-counted buffer behind. Registered for every test class by the service file
 * and {@code junit.jupiter.extensions.autodetection.enabled}.
 */
public final class LeakCheckExtension implements AfterAllCallback {
    @Override
    public void afterAll(ExtensionContext context) {
        if (context.getParent().map(parent -> parent.getTestClass().isPresent()).orElse(false)) {
            return; // a nested class: its outermost class is checked
        }
        LeakPresenceDetector.check();
    }
}
