#!/usr/bin/env bash
# What the tests need for a Kafka of their own: Java 17, Maven and the broker's jars in .cache/kafka.
# Packages are installed as root on Debian and its kin; with --jars alone only the jars are fetched.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=4.1.0
jars=.cache/kafka/$version

has_java() { command -v java >/dev/null && java -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])'; }
has_jars() { [ -f "$jars/kafka_2.13-$version.jar" ]; }

if [ "${1:-}" != --jars ]; then
  missing=()
  has_java || missing+=(openjdk-17-jre-headless)
  has_jars || command -v mvn >/dev/null || missing+=(maven)
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
      echo "install-kafka.sh: needs ${missing[*]}; install them and run it again." >&2
      exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi
fi

has_jars && exit 0
mkdir -p "$(dirname "$jars")"
fresh=$(mktemp -d "$(dirname "$jars")/fetch.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
mvn -q -B -f tests/harness/kafka-pom.xml dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$PWD/$fresh"
# Of two that fetch at once the first one's folder stays.
has_jars || mv "$fresh" "$jars"
echo "install-kafka.sh: Kafka $version is in $jars"
