#!/usr/bin/env bash
# Prints a software bill of materials (SPDX 2.3, JSON) of the built program: sbom.sh PROGRAM
# Swift packages with their revisions stand in Package.resolved, libraries are those that the program is linked with, by Debian's packages.
set -euo pipefail
if (($# != 1)) || [[ ! -x "$1" ]]; then
  echo "usage: deploy/sbom.sh PROGRAM: PROGRAM is the built hspsam (make build)" >&2
  exit 2
fi
program=$(realpath "$1")
cd "$(dirname "$0")/.."
if [[ ! -f Package.resolved ]]; then
  echo "deploy/sbom.sh: no Package.resolved: the revisions of the Swift packages are unknown. Run: swift package resolve" >&2
  exit 2
fi
version=$("$program" --version)
digest=$(sha256sum "$program" | cut -d' ' -f1)

entries=()
relations=()
# name, version, download location, purl
add() {
  local id="SPDXRef-$(tr -c 'A-Za-z0-9.-' '-' <<<"$1" | sed 's/-*$//')"
  entries+=("    {\"SPDXID\": \"$id\", \"name\": \"$1\", \"versionInfo\": \"$2\", \"downloadLocation\": \"$3\", \"filesAnalyzed\": false, \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"$4\"}]}")
  relations+=("    {\"spdxElementId\": \"SPDXRef-hspsam\", \"relationshipType\": \"DEPENDS_ON\", \"relatedSpdxElement\": \"$id\"}")
}

while IFS=$'\t' read -r name url found; do
  add "$name" "$found" "$url" "pkg:swift/${url#https://}@$found"
done < <(
  awk -F'"' '/"identity"/ {name = $4} /"location"/ {url = $4} /"version" : "/ {print name "\t" url "\t" $4}' Package.resolved | sort)

while read -r package; do
  found=$(dpkg-query -W -f '${Version}' "$package")
  add "${package%%:*}" "$found" "NOASSERTION" "pkg:deb/debian/${package%%:*}@$found"
done < <(
  ldd "$program" | awk '$3 ~ /^\// {print $3}' | while read -r library; do
    # Libraries of the Swift toolchain belong to no package.
    dpkg-query -S "$(realpath "$library")" 2>/dev/null || dpkg-query -S "$library" 2>/dev/null || true
  done | cut -d: -f1 | sort -u)

join() {
  local IFS=
  local text
  text=$(printf '%s,\n' "$@")
  printf '%s' "${text%,}"
}
cat <<EOF
{
  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "hspsam-$version",
  "documentNamespace": "urn:hspsam:sbom:$digest",
  "creationInfo": {"created": "$(date -u -r "$program" +%Y-%m-%dT%H:%M:%SZ)", "creators": ["Tool: hspsam-sbom-$version"]},
  "documentDescribes": ["SPDXRef-hspsam"],
  "packages": [
    {"SPDXID": "SPDXRef-hspsam", "name": "hspsam", "versionInfo": "$version", "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "checksums": [{"algorithm": "SHA256", "checksumValue": "$digest"}]},
$(join "${entries[@]}")
  ],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-hspsam"},
$(join "${relations[@]}")
  ]
}
EOF
