/** Returns the address at which applications call, which the server writes into the page. */
export function apiUrlOf(page: Document): string {
  return page.querySelector<HTMLMetaElement>('meta[name="api"]')?.content ?? '';
}
