#!/usr/bin/env python3
"""Lints the LaunchAgent that `anectl install` would write, with a property list parser that is not
ours, and holds its arguments against `anexd --help`.

    lint_agent.py ANECTL ANEXD FAKE_TOOLS      lint_agent.py --self-test
"""
import json
import os
import plistlib
import re
import subprocess
import sys
import tempfile

# launchd.plist(5)
KEYS = {
    "Label": str, "Program": str, "ProgramArguments": list, "Sockets": dict, "MachServices": dict,
    "KeepAlive": (bool, dict), "RunAtLoad": bool, "ProcessType": str, "ThrottleInterval": int,
    "EnvironmentVariables": dict, "StandardOutPath": str, "StandardErrorPath": str,
    "ExitTimeOut": int, "Umask": (int, str), "LimitLoadToSessionType": (str, list),
    "SoftResourceLimits": dict, "HardResourceLimits": dict, "WorkingDirectory": str,
    "AssociatedBundleIdentifiers": (str, list), "LowPriorityIO": bool, "Nice": int,
    "EnableTransactions": bool}
SOCKET_KEYS = {"SockPathName": str, "SockPathMode": int, "SockType": str}


def fits(value, types):
    # A bool is an int to Python, but not to launchd.
    if isinstance(value, bool):
        return types is bool or (isinstance(types, tuple) and bool in types)
    return isinstance(value, types)


def lint(text):
    """Sentences about what is wrong with a property list, given as bytes."""
    try:
        agent = plistlib.loads(text)
    except Exception as error:  # expat's and plistlib's own
        return [f"does not parse: {error}"]
    found = []
    for key, value in agent.items():
        if key not in KEYS:
            found.append(f"unknown key {key}")
        elif not fits(value, KEYS[key]):
            found.append(f"{key}: wrong type {type(value).__name__}")
    if "Label" not in agent or "ProgramArguments" not in agent:
        found.append("no Label or no ProgramArguments")
    for name, how in agent.get("MachServices", {}).items():
        if how is not True and not isinstance(how, dict):
            found.append(f"MachServices.{name}: neither true nor a dictionary")
    for name, socket in agent.get("Sockets", {}).items():
        for key, value in socket.items():
            if key not in SOCKET_KEYS or not fits(value, SOCKET_KEYS[key]):
                found.append(f"{name}.{key}: unknown, or of the wrong type")
        if len(os.fsencode(socket.get("SockPathName", ""))) not in range(1, 104):
            found.append(f"{name}: SockPathName has not 1 to 103 bytes")
        if socket.get("SockPathMode") != 0o600:
            found.append(f"{name}: SockPathMode is {socket.get('SockPathMode')}; 0600 is 384")
    if agent.get("ProcessType", "Standard") not in ("Background", "Standard", "Adaptive", "Interactive"):
        found.append("ProcessType is none of launchd's")
    return found


def lint_arguments(arguments, help_text):
    known = set(re.findall(r"--[a-z-]+", help_text))
    return [f"anexd knows no {word}" for word in arguments
            if word.startswith("--") and word.split("=")[0] not in known]


def self_test():
    def agent(**changes):
        return plistlib.dumps({"Label": "l", "ProgramArguments": ["/p"], "Sockets": {
            "Owner": {"SockPathName": "/r/s", "SockPathMode": 384, **changes.pop("socket", {})}}, **changes})
    assert lint(agent()) == []
    for text, part in ((agent(socket={"SockPathMode": 600}), "SockPathMode is 600; 0600 is 384"),
                       (agent(socket={"SockPathMode": "0600"}), "SockPathMode"),
                       (agent(socket={"SockPathName": "/" + "ä" * 52}), "103 bytes"),
                       (agent(KeepAlve=True), "unknown key KeepAlve"),
                       (agent(RunAtLoad=1), "RunAtLoad: wrong type"),
                       (agent(ExitTimeOut=True), "ExitTimeOut: wrong type"),
                       (agent(MachServices={"m": False}), "MachServices.m"),
                       (agent(ProcessType="interactive"), "ProcessType"),
                       (agent().replace(b"<integer>", b"<int>"), "does not parse"),
                       (agent().replace(b"<dict>", b"<dict><!-- a -- b -->"), "does not parse")):
        found = lint(text)
        assert any(part in sentence for sentence in found), (part, found, text)
    assert lint_arguments(["/p", "--runtime-dir", "/r", "--lock"], "--runtime-dir VALUE, --log-file") \
        == ["anexd knows no --lock"]


def installed(anectl, anexd, tools, home):
    """The content that an install would write, asked of anectl itself."""
    state = os.path.join(home, "state")
    os.mkdir(state)
    environment = {"PATH": tools + ":/usr/bin:/bin", "HOME": home, "FAKE_STATE": state}
    said = subprocess.run([anectl, "install", "--manager", "launchd", "--anexd", anexd, "--dry-run",
                           "--json"], env=environment, capture_output=True, check=False)
    if said.returncode != 0:
        sys.exit(f"anectl install --dry-run failed: {said.stderr.decode()}")
    files = [step for step in json.loads(said.stdout)["steps"] if step["do"] == "write_file"]
    assert len(files) == 1, files
    return files[0]["content"].encode()


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    anectl, anexd, tools = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="anex ä&", dir="/tmp") as home:
        text = installed(anectl, anexd, tools, home)
        found = lint(text)
        arguments = plistlib.loads(text)["ProgramArguments"]
        assert arguments[0] == anexd, arguments
        assert sum(home in word for word in arguments) == 3, arguments
    help_text = subprocess.run([anexd, "--help"], capture_output=True, check=True).stdout.decode()
    flags = [word for word in arguments if word.startswith("--")]
    assert len(flags) == 4, flags
    found += lint_arguments(arguments, help_text)
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
