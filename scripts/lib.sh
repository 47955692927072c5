# Shared by the scripts beside it, which source it: where things are, and what a fresh Debian lacks.
# shellcheck shell=sh

# A script may be reached by a link.
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)

# need COMMAND PACKAGE: remembers the package if the command is missing.
missing=
need() {
    command -v "$1" > /dev/null 2>&1 || missing="$missing $2"
}

# Installs the packages that are missing when run as root on Debian, else names them and ends.
install_missing() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null 2>&1; then
        echo "millrace: missing, please install:$missing" >&2
        exit 1
    fi
    echo "millrace: installing$missing" >&2
    (
        # What is needed as a program shall not start as a service.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' > "$policy"
            chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        # $missing is a list of package names.
        # shellcheck disable=SC2086
        apt-get -qq install -y --no-install-recommends $missing > /dev/null
    )
    missing=
}

# What every build needs.
need_build() {
    need javac default-jdk-headless
    need mvn maven
    install_missing
}

# What the tests of the server need beyond that.
need_tests() {
    need redis-server redis-server
    install_missing
}

# The commit of the checkout; nothing where there is no git, or none that reads it.
commit() {
    git -c safe.directory="$root" -C "$root" rev-parse --short=12 HEAD 2> /dev/null || :
}

# Packages of other versions, which would be taken for this build's.
remove_packages() {
    rm -f "$root"/bench/target/millrace-*.tar.gz "$root"/bench/target/millrace-*.jar
}

# Builds the distribution if a source is newer than it, and sets $dist to where it is unpacked. Says nothing but errors.
# Only one build runs at a time; the others wait for it.
build_dist() {
    target=$root/bench/target
    dist=$target/dist
    mkdir -p "$target"
    exec 9> "$target/.build.lock"
    if command -v flock > /dev/null 2>&1; then
        flock 9
    fi
    if [ ! -e "$dist/bin/millrace" ] || [ -n "$(newer_sources)" ]; then
        need_build
        [ -t 2 ] && echo "millrace: building" >&2
        touch "$target/.build.begun"
        remove_packages
        # Even a quiet Maven writes colour codes: its words are shown only if it fails.
        if ! (cd "$root" && mvn -q -B -Dstyle.color=never package -DskipTests -Dspotless.check.skip=true \
            -Dcommit="$(commit)" -pl bench -am) > "$target/.build.log" 2>&1 9>&-; then
            cat "$target/.build.log" >&2
            exit 1
        fi
        unpack_dist
    fi
    exec 9>&-
}

# Sets $dist to where it unpacks what was packaged, in a build that began when bench/target/.build.begun was touched:
# edits made since are newer.
unpack_dist() {
    target=$root/bench/target
    dist=$target/dist
    rm -rf "$dist.new"
    mkdir -p "$dist.new"
    tar -xzf "$target"/millrace-*.tar.gz -C "$dist.new" --strip-components=1
    mv "$target/.build.begun" "$dist.new/.built"
    rm -rf "$dist"
    mv "$dist.new" "$dist"
    # Without it starts are slower, no more.
    [ -t 2 ] && echo "millrace: training" >&2
    "$dist/bin/millrace" train > /dev/null 2>&1 9>&- || :
}

newer_sources() {
    find "$root/pom.xml" "$root"/codec/pom.xml "$root"/server/pom.xml "$root"/bench/pom.xml \
        "$root"/codec/src/main "$root"/server/src/main "$root"/bench/src \
        -newer "$dist/.built" -print 2> /dev/null | head -n 1
}
