/** Whether a host name is this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || host.startsWith("127.");
}

/**
 * Personal data leave this machine under TLS only.
 * @throws Error for a plain address off the loopback, unless CURBSTOP_ALLOW_PLAINTEXT=1 says that the network is private
 */
export function requireTls(variable: string, url: string, encrypted: boolean): void {
  const { hostname } = new URL(url);
  if (encrypted || isLoopback(hostname) || process.env["CURBSTOP_ALLOW_PLAINTEXT"] === "1") return;
  throw new Error(
    `${variable}: ${hostname} is not this machine and the address does not ask for TLS. ` +
      `Use an encrypted address, or set CURBSTOP_ALLOW_PLAINTEXT=1 if the network between is private.`,
  );
}
