# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management as a Windows desktop speaks it: the protocol is real, what runs the commands is a `Runner`.

server -> connection (HTTP, authentication, sealing) -> service (SOAP) -> shells -> commands -> runner
"""
