import {
  putTemplate,
  readTemplate,
  type StoredLogo,
  type TemplateRecord,
} from '../../../core/invoices/store/invoice-templates.ts';
import { DomainError } from '../../../domain/errors.ts';
import { checkOutboundUrl, OUTBOUND_URL_REFUSALS } from '../../../domain/outbound-url.ts';
import { HttpFailure } from '../../../runtime/http-client/failure.ts';
import type { LogoProblem } from '../../../web/documents/image.ts';
import { readLogo } from '../../../web/documents/logo.ts';
import type { NativeCaller } from '../authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import type { SetTemplate } from './schemas.ts';

const LOGO_BYTES_MAX = 1_000_000;
const LOGO_CONNECT_TIMEOUT_MS = 3_000;
const LOGO_TIMEOUT_MS = 8_000;

const LOGO_PROBLEMS: Readonly<Record<LogoProblem, string>> = {
  too_large: 'must be at most 1 MB',
  not_png_or_jpeg: 'must be a PNG or a JPEG',
  damaged: 'is not a complete image',
  too_many_pixels: 'must be at most 4,000 pixels a side and 4 megapixels',
  unsupported: 'is an image type that cannot be printed',
};

/** Replaces the whole template. Fetches the logo before writing anything, through the guard against requests to private networks. */
export async function setTemplate(
  deps: ApiDependencies,
  { scope }: NativeCaller,
  body: SetTemplate,
): Promise<TemplateRecord> {
  const logoUrl = body.logoUrl ?? null;
  const logo = logoUrl === null ? null : await fetchLogo(deps, logoUrl);
  return deps.database.withScope(scope, (statements) =>
    putTemplate(statements, scope.applicationId, {
      logoUrl,
      companyName: body.companyName ?? null,
      companyAddress: body.companyAddress ?? null,
      contactDetails: body.contactDetails ?? null,
      footerNote: body.footerNote ?? null,
      accentColor: body.accentColor ?? null,
      logo,
    }),
  );
}

export function findTemplate({ database }: ApiDependencies, { scope }: NativeCaller): Promise<TemplateRecord | null> {
  return database.withScope(scope, (statements) => readTemplate(statements, scope.applicationId), { oneTrip: true });
}

/** Returns the native API's InvoiceTemplate. */
export function templateView(template: TemplateRecord | null) {
  return {
    logoUrl: template?.logoUrl ?? null,
    companyName: template?.companyName ?? null,
    companyAddress: template?.companyAddress ?? null,
    contactDetails: template?.contactDetails ?? null,
    footerNote: template?.footerNote ?? null,
    accentColor: template?.accentColor ?? null,
    createdAt: template?.createdAt.toISOString() ?? null,
    updatedAt: template?.updatedAt.toISOString() ?? null,
  };
}

async function fetchLogo({ publicHttp, allow }: ApiDependencies, logoUrl: string): Promise<StoredLogo> {
  const checked = checkOutboundUrl(logoUrl, allow);
  if (!checked.ok) {
    throw refused(OUTBOUND_URL_REFUSALS[checked.reason]);
  }
  const reply = await publicHttp
    .send({
      method: 'GET',
      url: logoUrl,
      headers: { accept: 'image/png, image/jpeg' },
      connectTimeoutMs: LOGO_CONNECT_TIMEOUT_MS,
      totalTimeoutMs: LOGO_TIMEOUT_MS,
      maxBodyBytes: LOGO_BYTES_MAX,
      onTooLarge: 'fail',
    })
    .catch((error: unknown) => {
      if (error instanceof HttpFailure) {
        // All connection errors read alike, so that they reveal nothing about our network.
        throw refused(error.kind === 'too-large' ? LOGO_PROBLEMS.too_large : 'cannot be fetched');
      }
      throw error;
    });
  if (reply.status !== 200) {
    throw refused('cannot be fetched');
  }
  const logo = readLogo(reply.body);
  if (typeof logo === 'string') {
    throw refused(LOGO_PROBLEMS[logo]);
  }
  return logo;
}

function refused(problem: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { logoUrl: problem } });
}
