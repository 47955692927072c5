/**
 * What both sides need of HTTP/1.1: chunked bodies, heads written as bytes, content codings, request targets, and the\n * header fields that pass. A class here takes a buffer and leaves it with its caller unless it says otherwise.\n */
package io.millrace.server.http;
