package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdmissionTest {
    /** A process with many descriptors and little memory would else take clients until its heap is used up. */
    @ParameterizedTest
    @CsvSource({
        "1024, 4096, 460",
        "1000000, 64, 2730",
        "1000000, 512, 21845",
        "20000, 512, 9000",
    })
    void hasPlacesForWhatDescriptorsAndHeapAllow(long descriptors, long heapMib, long places) {
        assertThat(Admission.places(descriptors, heapMib << 20)).isEqualTo(places);
    }
}
