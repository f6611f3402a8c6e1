#!/usr/bin/env bash
# Makes a folder with a small Debian that has Python: what the image is built on where no registry is at hand.
# Its packages come from where apt has its own. Usage: base.sh FOLDER
set -euo pipefail
folder=$1
# shellcheck source=/dev/null
source /etc/os-release
read -r mirror < <(apt-get indextargets --format '$(SITE)' \
  "Created-By: Packages" "Origin: Debian" "Release: $VERSION_CODENAME" "Component: main") || true

# What debootstrap mounts is seen in its own namespace only, so that the folder can be removed without a care.
unshare --mount debootstrap --variant=minbase --include=python3,python3-venv \
  "$VERSION_CODENAME" "$folder" ${mirror:+"$mirror"}
ln -s python3 "$folder/usr/bin/python"
cd "$folder"
rm -rf etc/{hostname,resolv.conf} var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/{doc,locale,man}/*
