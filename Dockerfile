# The image of Millrace: a Java runtime of the modules that it needs (jlink), the distribution, and what `millrace train`
# learned, on a small Debian. For amd64 and arm64, but only amd64 has been built. docs/production.md says how to run it,
# scripts/check-image builds and boots it without a registry.
#
#     docker build -t millrace .
#     docker build -t millrace --build-arg ARCHIVE=bench/target/millrace-VERSION.tar.gz .

# A JDK 25 to build with. Maven is needed only without ARCHIVE.
ARG JDK=docker.io/library/maven:3.9-eclipse-temurin-25-noble
# What the relay runs on: glibc, bash and coreutils; Java comes from the JDK above.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${JDK} AS build
# A distribution that is built already, in the context. Without one it is built from the sources.
ARG ARCHIVE=
ARG COMMIT=
WORKDIR /src
COPY . .
RUN set -eu; \
    if [ -z "$ARCHIVE" ]; then \
        rm -f bench/target/millrace-*; \
        mvn -B -ntp -q package -DskipTests -Dspotless.check.skip=true -Dcommit="$COMMIT" -pl bench -am; \
        ARCHIVE=$(ls bench/target/millrace-*.tar.gz); \
    fi; \
    mkdir -p /opt/millrace; \
    tar -xzf "$ARCHIVE" -C /opt/millrace --strip-components=1; \
    cd /opt/millrace; \
    # Only what runs here: no libraries of other systems and processors, no documents.
    rm -rf docs monitoring examples charts kubernetes packaging Dockerfile *.md lib/*-osx-*.jar; \
    case $(uname -m) in x86_64) here=x86_64 ;; aarch64) here=aarch_64 ;; *) echo "for amd64 and arm64 only" >&2; exit 1 ;; esac; \
    for jar in lib/*-linux-*.jar; do case $jar in *-linux-$here.jar) ;; *) rm "$jar" ;; esac; done; \
    # Netty's native libraries as files. At each start it would unpack them into /tmp, which may be read-only.
    mkdir lib/native; \
    for jar in lib/netty-*-linux-*.jar; do (cd lib/native && jar -xf "../../$jar" META-INF/native); done; \
    mv lib/native/META-INF/native/*.so lib/native; \
    rm -r lib/native/META-INF; \
    # java.sql is for jackson-databind, which asks for its types.
    jlink --add-modules java.base,java.logging,java.management,java.naming,java.net.http,java.sql,jdk.jfr,jdk.management,jdk.net,jdk.unsupported \
        --strip-java-debug-attributes --no-header-files --no-man-pages --output /opt/java; \
    # The directory of the images' default configuration, and a user of the relay's own.
    mkdir -p /etc/millrace; \
    printf 'listen: 0.0.0.0:8080\n' > /etc/millrace/millrace.yaml

# Trained on what it runs on: the JVM checks that all is the same.
FROM ${BASE} AS train
ENV JAVA_HOME=/opt/java
COPY --from=build /opt/java /opt/java
COPY --from=build /opt/millrace /opt/millrace
RUN /opt/millrace/bin/millrace train

FROM ${BASE}
ARG COMMIT=
ARG VERSION=
LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="A relay for LLM token streams" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
ENV JAVA_HOME=/opt/java \
    MILLRACE_CONFIG=/etc/millrace/millrace.yaml \
    PATH=/opt/millrace/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=build /etc/millrace /etc/millrace
COPY --from=build /opt/java /opt/java
COPY --from=train /opt/millrace /opt/millrace
RUN echo 'millrace:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd && echo 'millrace:x:10001:' >> /etc/group
# By number, so that Kubernetes sees that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["millrace", "health"]
ENTRYPOINT ["millrace"]
CMD ["serve"]
