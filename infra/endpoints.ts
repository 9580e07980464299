/** Whether a host name is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|\[::1\]|127(\.\d{1,3}){3})$/.test(host);
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
