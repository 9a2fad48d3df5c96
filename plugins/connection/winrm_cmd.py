# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's WinRM connection with plain cmd.exe commands."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.connection.winrm import Connection as WinRM
from ansible.plugins.loader import get_shell_plugin
from ansible.utils.display import Display
from ansible_collections.eyrie.pool.plugins.plugin_utils.cmd_shell import CmdShell
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_files import DesktopFiles
from ansible_collections.eyrie.pool.plugins.plugin_utils.desktop_trouble import named, plainly

from eyrie.errors import EyrieError
from eyrie.windows import modules
from eyrie.windows.faults import Sight

DOCUMENTATION = r"""
name: winrm_cmd
short_description: Run plain cmd.exe commands on Windows desktops over WinRM
version_added: 0.2.0
author: The Eyrie authors (@eyrie)
description:
  - Authenticates as P(ansible.builtin.winrm#connection) does (NTLM, Kerberos, CredSSP, certificate, Basic),
    but hands each command to cmd.exe as it is. Nothing is run by PowerShell, nothing is encoded.
  - A command is what one would type at cmd.exe's prompt. Use M(ansible.builtin.raw) and the actions of this
    collection. Modules do not run, for there is no interpreter; M(ansible.builtin.ping) alone is answered, by
    a round trip through cmd.exe, so that M(ansible.builtin.wait_for_connection) works.
    C(ansible_python_interpreter) must be set to anything, lest Ansible look for one.
  - Standard input is streamed. A program should read its input before it writes much output, which is
    collected after the input was sent.
  - HTTPS is the default, and the certificate is validated. Further options of pywinrm are given as
    C(ansible_winrm_NAME), above all C(ansible_winrm_server_cert_validation), C(ansible_winrm_ca_trust_path),
    C(ansible_winrm_message_encryption), C(ansible_winrm_cert_pem), C(ansible_winrm_cert_key_pem),
    C(ansible_winrm_operation_timeout_sec) and C(ansible_winrm_read_timeout_sec).
requirements:
  - pywinrm
options:
  remote_addr:
    description: Name or address of the desktop; for Kerberos, and to validate the certificate, its full name.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_winrm_host
  remote_user:
    description: The account to log in with; it must be an administrator of the desktop.
    type: str
    vars:
      - name: ansible_user
      - name: ansible_winrm_user
    keyword:
      - name: remote_user
  remote_password:
    description: The account's password.
    type: str
    vars:
      - name: ansible_password
      - name: ansible_winrm_pass
      - name: ansible_winrm_password
    aliases: [password]
  port:
    description: Port of the listener.
    type: integer
    default: 5986
    vars:
      - name: ansible_port
      - name: ansible_winrm_port
    keyword:
      - name: port
  scheme:
    description: V(https), unless O(port) is 5985.
    type: str
    choices: [http, https]
    vars:
      - name: ansible_winrm_scheme
  path:
    description: Path of the listener.
    type: str
    default: /wsman
    vars:
      - name: ansible_winrm_path
  transport:
    description:
      - Ways to authenticate, tried in this order.
      - By default V(kerberos) for accounts written C(user@domain), V(certificate) if
        C(ansible_winrm_cert_pem) is set, else V(ntlm).
    type: list
    elements: str
    vars:
      - name: ansible_winrm_transport
  kerberos_command:
    description: Program that gets a Kerberos ticket.
    type: str
    default: kinit
    vars:
      - name: ansible_winrm_kinit_cmd
  kinit_args:
    description: Arguments for O(kerberos_command), instead of the default ones.
    type: str
    vars:
      - name: ansible_winrm_kinit_args
  kinit_env_vars:
    description: Environment variables that O(kerberos_command) gets to see.
    type: list
    elements: str
    default: []
    vars:
      - name: ansible_winrm_kinit_env_vars
  kerberos_mode:
    description: Whether a ticket is got for each connection (V(managed)) or was got by the user (V(manual)).
    type: str
    choices: [managed, manual]
    vars:
      - name: ansible_winrm_kinit_mode
  connection_timeout:
    description:
      - Seconds that the desktop may take for one answer; the wait for an answer is 10 seconds longer.
      - It does not limit how long a command runs; the task keyword C(timeout) does.
    type: int
    vars:
      - name: ansible_winrm_connection_timeout
  codepage:
    description:
      - Code page of the shell. Output is turned from it into UTF-8.
      - Windows XP and Vista need that of their console, such as 437 or 850; their batch files do nothing
        under 65001.
    type: int
    default: 65001
    vars:
      - name: ansible_winrm_codepage
  agent_python:
    description:
      - Path of the agent's C(python.exe) on the desktop. It copies files, which are checked by SHA-256.
      - Where it is not set, nothing can be copied.
    type: str
    vars:
      - name: ansible_winrm_agent_python
"""


OURS = "the shell is opened by CmdShell"
display = Display()


class Connection(WinRM):  # type: ignore[misc]
    """WinRM with cmd.exe at the other end."""

    transport = "eyrie.pool.winrm_cmd"
    module_implementation_preferences = ("",)
    has_pipelining = False
    _extras_prefix = "winrm"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("shell", get_shell_plugin(shell_type="cmd"))
        super().__init__(*args, **kwargs)
        self.has_native_async = False
        # A module must arrive on standard input, where its name is seen and no file was written before.
        self.always_pipeline_modules = True
        self._cmd: CmdShell | None = None

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a line as typed at the prompt."""
        ConnectionBase.exec_command(self, cmd, in_data=in_data, sudoable=sudoable)
        if self.become is not None and sudoable:
            raise AnsibleError("become has no effect on a desktop. Next: log in as one of its administrators")
        if modules.is_encoded_powershell(cmd):
            return self._module(modules.module_name(in_data))
        rc, stdout, stderr = self._run(cmd, None if in_data is None else [in_data])
        return rc, self._utf8(stdout), self._utf8(stderr)

    def transport_test(self, connect_timeout: int) -> None:
        """Return if somebody listens; M(ansible.builtin.wait_for_connection) asks this first."""
        self._build_winrm_kwargs()
        socket.create_connection((self._winrm_host, int(self._winrm_port)), connect_timeout).close()

    def put_file(self, in_path: str, out_path: str) -> None:
        """Write a file on the desktop, by the agent's Python."""
        ConnectionBase.put_file(self, in_path, out_path)
        with plainly():
            self._files().put(Path(in_path), self._shell._unquote(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Read a file of the desktop, by the agent's Python."""
        ConnectionBase.fetch_file(self, in_path, out_path)
        with plainly():
            self._files().fetch(self._shell._unquote(in_path), Path(out_path))

    def reset(self) -> None:
        """Start again with a new shell; the old one is given back, for it counts against the quota."""
        if self._connected:
            self.close()
            self._connect()

    def close(self) -> None:
        """Give the shell back."""
        if self._cmd is not None:
            self._cmd.close()
        self._cmd = self.protocol = self.shell_id = None
        self._connected = False

    def _build_winrm_kwargs(self) -> None:
        super()._build_winrm_kwargs()
        chosen = self.get_option("transport")
        if not (chosen and chosen[0]) and "@" not in (self._winrm_user or ""):
            # ansible-core would take Basic, which Windows does not offer by default.
            self._winrm_transport = ["certificate" if "cert_pem" in self._winrm_kwargs else "ntlm"]

    def _winrm_connect(self) -> Any:
        wanted, failure = self._winrm_transport, AnsibleConnectionFailure("no transport given")
        for transport in wanted:
            self._winrm_transport = [transport]
            try:
                with self._named(started=False):
                    return self._open()
            except AnsibleConnectionFailure as error:
                failure = error
            finally:
                self._winrm_transport = wanted
        raise failure

    def _open(self) -> Any:
        # The base class opens a shell of a fixed code page by itself, unless it believes there is one.
        self.shell_id = OURS
        protocol = super()._winrm_connect()
        shell = CmdShell(protocol, int(self.get_option("codepage")), self._say)
        shell.open()
        self._cmd = shell
        return protocol

    def _winrm_exec(
        self,
        command: str,
        args: Iterable[str] = (),
        from_exec: bool = False,
        stdin_iterator: Iterable[tuple[bytes, bool]] | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Refuse: only the base class's PowerShell scripts come here."""
        raise self._no_powershell(f"{command} {from_exec=} {stdin_iterator=} {args}")

    def _run(self, line: str, pieces: Iterable[bytes] | None) -> tuple[int, bytes, bytes]:
        with plainly(), self._named(started=True):
            assert self._cmd is not None
            return self._cmd.run(line, pieces)

    def _module(self, name: str) -> tuple[int, bytes, bytes]:
        if name != "ping":
            raise self._no_powershell(name)
        rc, stdout, stderr = self._run("echo pong", None)
        return rc, b'{"ping": "pong"}' if stdout.strip() == b"pong" else stdout, stderr

    def _no_powershell(self, name: str) -> AnsibleError:
        error = EyrieError(
            "module on a desktop without PowerShell",
            seen=name or "something that Ansible does by PowerShell",
            wanted="an action of eyrie.pool, ansible.builtin.raw or ansible.builtin.wait_for_connection",
            next_step="leave it out; instead of facts set gather_facts: false",
        )
        return AnsibleError(str(error))

    def _files(self) -> DesktopFiles:
        return DesktopFiles(self._run, self.get_option("agent_python"))

    def _utf8(self, output: bytes) -> bytes:
        page = int(self.get_option("codepage"))
        return output if page == 65001 else output.decode(f"cp{page}", "replace").encode()

    def _say(self, text: str) -> None:
        display.vvv(text, host=self._winrm_host)

    def _named(self, *, started: bool) -> AbstractContextManager[None]:
        return named(self._sight, started=started)

    def _sight(self, **seen: Any) -> Sight:
        return Sight(
            host=self._winrm_host,
            port=int(self._winrm_port),
            user=self._winrm_user or "",
            scheme=self._winrm_scheme,
            **seen,
        )
