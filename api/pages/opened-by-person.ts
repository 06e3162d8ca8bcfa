import type { Context } from '../http/surface.ts';

/** Programs that fetch links to preview or scan them. In-app browsers are not among them: people read pages there. */
const FETCHERS =
  /bot\b|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|meta-external|whatsapp\/|skypeuripreview|viber\/|embedly|pinterest\/|bitlybot|vkshare|google-(?:safety|pagerenderer)|safelinks|barracuda|mimecast/i;

/** Returns whether a person opened the page, as far as the request shows. Excludes prefetches and link previews. */
export function openedByPerson(context: Context): boolean {
  const mode = context.get('sec-fetch-mode');
  const ahead = [context.get('sec-purpose'), context.get('purpose'), context.get('x-moz')].some((purpose) =>
    /prefetch|prerender|preview/i.test(purpose),
  );
  return (
    context.method === 'GET' &&
    context.state.head !== true &&
    !ahead &&
    (mode === '' || mode === 'navigate') &&
    !FETCHERS.test(context.get('user-agent'))
  );
}
