import type { Context } from '../http/surface.ts';

/** Programs that fetch a link to show what it leads to, or to look whether it is harmful. In an app's own browser a person reads. */
const FETCHERS =
  /bot\b|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|meta-external|whatsapp\/|skypeuripreview|viber\/|embedly|pinterest\/|bitlybot|vkshare|google-(?:safety|pagerenderer)|safelinks|barracuda|mimecast/i;

/** Whether a page was asked for to be read, as far as its request tells: not before anybody has clicked, nor for a picture of the link. */
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
