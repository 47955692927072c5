"""Opens connections one after another for some seconds, and leaves each when its handshake is over.

Prints how many there were, and how many of them resumed a session.
Usage: handshakes.py PORT SECONDS plain|full|resumed
"""

import socket
import ssl
import sys
import time

port, seconds, kind = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = ssl.TLSVersion.TLSv1_3


def connect(session=None):
    connection = socket.create_connection(("127.0.0.1", port))
    if kind == "plain":
        return connection
    return context.wrap_socket(connection, server_hostname="localhost", session=session)


def learn_session():
    """The server sends tickets after the handshake: they are read with an answer."""
    with connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(65536)
        return connection.session


session = learn_session() if kind == "resumed" else None
count = resumed = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    connection = connect(session)
    count += 1
    resumed += session is not None and connection.session_reused
    # The server's tickets are read, for a reset would be another end than a client's.
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass
    connection.close()
print(count, resumed)
