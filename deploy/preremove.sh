#!/bin/sh
# Of the packages: stops the service when the package is removed, but not when it is
# upgraded (rpm passes the number of versions left, dpkg a word).
set -eu
case "${1-}" in
0 | remove)
	if [ -d /run/systemd/system ]; then systemctl disable --now sessionbot; fi
	;;
esac
