# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What every action that plans the pool's network is given: variables of the role pool_network."""

    DOCUMENTATION = r"""
options:
  mode:
    description: C(outbound), C(hub), C(shadow), C(ipip), C(wireguard) or C(ipsec).
    type: str
    required: true
  subnets:
    description: The office's subnets, each with C(name), C(network) and, if it is not 1500, C(mtu).
    type: list
    elements: dict
    required: true
  private:
    description: The network of the private addresses.
    type: str
    default: 10.88.0.0/16
  reserved:
    description: Networks that others use, each with C(name) and C(network).
    type: list
    elements: dict
    default: []
  topology:
    description: Whether all hosts have tunnels to one another, or to gateways; V(auto) decides by their
      number.
    type: str
    choices: [auto, mesh, star]
    default: auto
  fou:
    description: Carry IP-in-IP inside UDP.
    type: bool
    default: false
  legacy_nodes:
    description: In mode C(ipsec), let openMosix nodes take part by IKEv1 and weak ciphers.
    type: bool
    default: false
  hosts:
    description: Names of the hosts. Each one's address is C(pool_network_address), else C(ansible_host).
    type: list
    elements: str
    required: true
"""
