"""A double of Google's servers on loopback, true enough for Google's own client libraries.

``with Google("alex@example.com") as google:`` serves Gmail, Calendar and the sign-in at ``google.url`` (``server``);
``GoogleProcess`` is the same in a process that can be killed (``process``). Each request is held against the discovery
documents that google-api-python-client ships: what they don't know is answered with 400, stands in
``google.violations``, and fails the test at the end of the block. So are the double's own answers.

What Gmail does and no document says is in the docstring of the module that does it.
"""

from tests.google.server import Google

__all__ = ["Google"]
