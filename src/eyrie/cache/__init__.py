# SPDX-License-Identifier: GPL-3.0-or-later
"""What Eyrie keeps on a control host to be quick, and how it is given back."""
