# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels of bare nodes: built from a recipe, brought onto a node, booted once, kept if it is well."""
