import type { DomainError } from '../../domain/errors.ts';
import { renderErrorPage } from '../../web/checkout/error-page.ts';
import { errorPageStatus, type ErrorPageKind } from '../../web/checkout/view.ts';
import { pageHeaders } from '../../web/headers.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { USUAL_STATUS } from '../http/status.ts';
import type { Context } from '../http/surface.ts';
import { BELOW_A_PAGE, CHECKOUT, languageOf, PAYABLE, PLAIN_PATH } from './paths.ts';

/** Returns the function that renders errors on the web listener as pages. */
export function renderPageError(deps: Pick<ApiDependencies, 'webUrl'>): (context: Context, error: DomainError) => void {
  const secure = deps.webUrl.startsWith('https:');
  return (context, error) => {
    const kind = pageKind(error);
    // For a path below a page, link to the page itself, because a form's own path does not accept GET.
    const isPage = PLAIN_PATH.test(context.path) && (CHECKOUT.test(context.path) || PAYABLE.test(context.path));
    const path = isPage ? context.path.replace(BELOW_A_PAGE, '') : '/';
    context.status = kind === 'bad_request' ? USUAL_STATUS[error.code] : errorPageStatus[kind];
    context.set(pageHeaders({ formActionOrigins: [], secure }));
    context.body = renderErrorPage({
      kind,
      language: languageOf(context),
      pagePath: path,
      retryPath: kind === 'not_found' || kind === 'method_not_allowed' ? null : path,
      retryAfterSeconds: error.retryAfterSeconds ?? null,
      requestId: context.state.requestId,
    });
  };
}

function pageKind(error: DomainError): ErrorPageKind {
  switch (error.code) {
    case 'RESOURCE_NOT_FOUND':
      return 'not_found';
    case 'VALIDATION_ERROR':
    case 'PAYLOAD_TOO_LARGE':
    case 'UNSUPPORTED_MEDIA_TYPE':
      return 'bad_request';
    case 'METHOD_NOT_ALLOWED':
      return 'method_not_allowed';
    case 'RATE_LIMITED':
      return 'too_many_requests';
    case 'SERVICE_UNAVAILABLE':
    case 'GATEWAY_ERROR':
      return 'unavailable';
    default:
      return 'internal_error';
  }
}
