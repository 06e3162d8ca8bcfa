import { domainToASCII } from 'node:url';

/** Source: RFC 5321, 4.5.3.1. */
const ADDRESS_MAX = 254;
const LOCAL_MAX = 64;
/**
 * Dot-separated atoms of RFC 5322 without quotes. Excludes `%`, `!`, `/` and `|`, by which mail servers route, run programs and write files; Exim
 * also rejects them by default.
 */
const LOCAL = /^[A-Za-z0-9#$&'*+=?^_`{}~-]+(\.[A-Za-z0-9#$&'*+=?^_`{}~-]+)*$/;
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(${LABEL}\\.)+(?!\\d+$)${LABEL}$`);

/** Returns the address for a mail server, with its domain in ASCII; null if no ordinary server would deliver to it. */
export function readMailAddress(text: string): string | null {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = domainToASCII(text.slice(at + 1));
  const address = `${local}@${domain}`;
  const fits = at > 0 && local.length <= LOCAL_MAX && address.length <= ADDRESS_MAX;
  return fits && LOCAL.test(local) && DOMAIN.test(domain) ? address : null;
}
