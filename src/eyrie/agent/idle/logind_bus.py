# SPDX-License-Identifier: GPL-3.0-or-later
"""The system bus connection to systemd-logind; jeepney is loaded only on a desktop that has a bus."""

from __future__ import annotations

import contextlib
from typing import Any, Mapping

CALL_WAIT = 0.5  # seconds
UNKNOWN = ("org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner")


class BusError(Exception):
    """The bus or logind could not be asked."""


class NoLogind(Exception):
    """The bus is there, logind is not."""


class Bus:
    """The questions put to logind, over one connection that is opened when first needed."""

    def __init__(self) -> None:
        # Imported here so that a desktop without a bus pays no memory for it.
        from jeepney import DBusAddress, MatchRule, message_bus  # type: ignore[import-untyped] # has no types
        from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]

        self._manager = DBusAddress(
            "/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.login1.Manager"
        )
        try:
            self._link = open_dbus_connection("SYSTEM", auth_timeout=CALL_WAIT)
            bus = Proxy(message_bus, self._link, timeout=CALL_WAIT)
            for rule in (
                MatchRule(type="signal", sender="org.freedesktop.login1", interface=self._manager.interface),
                MatchRule(
                    type="signal",
                    sender="org.freedesktop.login1",
                    interface="org.freedesktop.DBus.Properties",
                    path_namespace="/org/freedesktop/login1/session",
                ),
            ):
                bus.AddMatch(rule)
        except Exception as error:
            raise BusError(str(error) or type(error).__name__) from error

    def fileno(self) -> int:
        """Return the connection's descriptor."""
        return int(self._link.sock.fileno())

    def _call(
        self, address: Any, method: str, signature: str | None = None, body: tuple[Any, ...] = ()
    ) -> Any:
        from jeepney import DBusErrorResponse, new_method_call
        from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]

        try:
            message = new_method_call(address, method, signature, body)
            return unwrap_msg(self._link.send_and_get_reply(message, timeout=CALL_WAIT))[0]
        except DBusErrorResponse as error:
            if error.name in UNKNOWN:
                raise NoLogind from error
            raise BusError(error.name) from error
        except Exception as error:
            raise BusError(str(error) or type(error).__name__) from error

    def sessions(self) -> list[Mapping[str, Any]]:
        """Return the properties of all sessions."""
        from jeepney import DBusAddress

        found: list[Mapping[str, Any]] = []
        for _name, _uid, _user, _seat, path in self._call(self._manager, "ListSessions"):
            address = DBusAddress(path, "org.freedesktop.login1", "org.freedesktop.DBus.Properties")
            try:
                pairs = self._call(address, "GetAll", "s", ("org.freedesktop.login1.Session",))
            except BusError as error:
                if "UnknownObject" in str(error) or "NoSuchSession" in str(error):
                    continue  # it ended meanwhile
                raise
            found.append({key: value for key, (_signature, value) in pairs.items()})
        return found

    def drain(self) -> bool:
        """Take in waiting messages; True if there was one."""
        heard = False
        with contextlib.suppress(TimeoutError):
            while True:
                self._link.receive(timeout=0)
                heard = True
        return heard

    def close(self) -> None:
        """Hang up."""
        self._link.close()
