#!/bin/bash
# The service under a real systemd user manager, which is started for it in a folder of its own:
# installed, reached through its sockets, restarted and killed under clients, stopped, uninstalled.
#   real_manager.sh ANECTL ANEXD
# Skipped (77), saying why, where no user manager can run.
set -u
anectl=$1 anexd=$2
skip() { echo "skipped: $1"; exit 77; }
systemd=$(command -v /lib/systemd/systemd /usr/lib/systemd/systemd | head -1)
[ -n "$systemd" ] && command -v systemctl >/dev/null || skip "no systemd here"
work=$(mktemp -d /tmp/anex_real.XXXXXX)
mkdir -p "$work/run" "$work/home"
chmod 700 "$work/run"
export HOME=$work/home XDG_RUNTIME_DIR=$work/run
unset XDG_CONFIG_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS ANEXD_SOCKET
manager=
end() {
  [ -z "$manager" ] || { systemctl --user exit; sleep 1; kill "$manager"; wait "$manager"; } >/dev/null 2>&1
  rm -rf "$work"
}
trap end EXIT

# It refuses to run where systemd does not run the machine; a folder of that name is all it asks for.
start=("$systemd" --user --unit=basic.target)
if [ ! -d /run/systemd/system ]; then
  unshare -m true 2>/dev/null || skip "systemd does not run this machine, and no mount namespace can be made"
  start=(unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec "$@"' sh
         "${start[@]}")
fi
SYSTEMD_LOG_TARGET=console "${start[@]}" >"$work/manager.log" 2>&1 &
manager=$!
for _ in $(seq 100); do
  [ -S "$XDG_RUNTIME_DIR/systemd/private" ] && systemctl --user show -p Version >/dev/null 2>&1 && break
  kill -0 "$manager" 2>/dev/null || break
  sleep 0.1
done
systemctl --user show -p Version >/dev/null 2>&1 ||
  { manager_said=$(tail -1 "$work/manager.log"); skip "no user manager comes up (${manager_said:-it says nothing})"; }

failed() { echo "FAILED: $1"; systemctl --user --no-pager status anexd.socket anexd.service; exit 1; }
pid() { systemctl --user show -p MainPID --value anexd.service; }
reached() { timeout 60 "$anectl" status --json --timeout 50 >"$work/status" 2>&1; }

"$anectl" install --anexd "$anexd" || failed "install"
reached || failed "no daemon behind the sockets: $(cat "$work/status")"
first=$(pid)
grep -q "\"pid\":$first," "$work/status" || failed "status is of another daemon than pid $first"
"$anectl" install --anexd "$anexd" >"$work/again" || failed "second install"
! grep -q '^run\|^write' "$work/again" || failed "a second install did something: $(cat "$work/again")"

echo "restart under clients"
for i in $(seq 12); do ( reached=0; timeout 60 "$anectl" status >/dev/null 2>"$work/client.$i" || echo $? >"$work/refused.$i" ) & clients="${clients:-} $!"; sleep 0.05; done
"$anectl" restart || failed "restart"
wait $clients
ls "$work"/refused.* >/dev/null 2>&1 && failed "clients were refused: $(cat "$work"/client.*)"
second=$(pid)
[ "$second" != "$first" ] && [ "$second" != 0 ] || failed "restart left pid $first"

echo "killed"
kill -9 "$second"
reached || failed "after a kill: $(cat "$work/status")"
[ "$(pid)" != "$second" ] || failed "the killed one is still said to run"

"$anectl" stop || failed "stop"
timeout 60 "$anectl" status >/dev/null 2>&1
[ $? = 3 ] || failed "a stopped service is reached"
[ ! -e "$XDG_RUNTIME_DIR/anexd/anexd.sock" ] || failed "stop left a socket"
"$anectl" start || failed "start"
reached || failed "after a start: $(cat "$work/status")"

echo "the daemon ends in order, and the next client starts it"
kill -TERM "$(pid)"
reached || failed "socket activation: $(cat "$work/status")"

"$anectl" uninstall || failed "uninstall"
[ -z "$(find "$HOME" -name 'anexd.s*')" ] || failed "uninstall left $(find "$HOME" -name 'anexd.s*')"
"$anectl" uninstall | grep -q 'already so: the service is not installed' || failed "second uninstall"
echo "all of it under $(systemctl --user show -p Version --value)"
