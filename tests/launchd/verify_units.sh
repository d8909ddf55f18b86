#!/bin/sh
# systemd's own reader over the units that `anectl install` writes.  verify_units.sh ANECTL ANEXD FAKE_TOOLS
set -eu
anectl=$1 anexd=$2 tools=$3
command -v systemd-analyze >/dev/null || { echo "skipped: no systemd-analyze here"; exit 77; }
work=$(mktemp -d /tmp/anex_units.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/state" "$work/run" "$work/100% of it"
chmod 700 "$work/run"
ln -s "$anexd" "$work/100% of it/anexd"
export HOME="$work" XDG_CONFIG_HOME="$work/conf" XDG_RUNTIME_DIR="$work/run" FAKE_STATE="$work/state"
PATH=$tools:$PATH "$anectl" install --manager systemd --anexd "$work/100% of it/anexd" >"$work/said"
units=$work/conf/systemd/user
verify() { systemd-analyze verify --user "$@" >"$work/found" 2>&1; }
# What it finds elsewhere on this machine is not ours.
ours() { grep -E 'anexd' "$work/found" || true; }
verify "$units/anexd.socket" "$units/anexd.service" || { cat "$work/found"; [ -z "$(ours)" ]; }
[ -z "$(ours)" ] || { ours; exit 1; }
# And it does look: a key that it does not know, a program that is not there.
sed -i 's/^SocketMode=/SocketMod=/' "$units/anexd.socket"
sed -i 's/of it.anexd"/of it\/gone"/' "$units/anexd.service"
verify "$units/anexd.socket" "$units/anexd.service" || true
grep -q 'SocketMod' "$work/found" || { echo "a wrong key was not found"; cat "$work/found"; exit 1; }
grep -q '100% of it/gone' "$work/found" || { echo "a missing program was not found"; cat "$work/found"; exit 1; }
