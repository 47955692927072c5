package io.millrace.bench;

import io.millrace.bench.compare.CompareCommand;
import io.millrace.bench.doctor.DoctorCommand;
import io.millrace.bench.run.BenchCommand;
import io.millrace.server.cli.CommandProvider;
import java.util.List;

/** The commands {@code bench}, {@code compare} and {@code doctor}. */
public final class BenchCommands implements CommandProvider {
    /** For the service loader. */
    public BenchCommands() {}

    @Override
    public List<Object> commands() {
        return List.of(new BenchCommand(), new DoctorCommand(), new CompareCommand());
    }
}
