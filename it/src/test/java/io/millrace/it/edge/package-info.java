/** The relay among what stands around it in production: proxies in front, thousands of clients, a kernel, an operator. */
package io.millrace.it.edge;
