import { invoiceReference } from '../../../domain/references.ts';
import type { InvoiceView } from '../../../domain/invoice-view.ts';
import { sha256 } from '../../../runtime/secrets.ts';
import { canonicalJson, type JsonValue } from '../../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../../http/route.ts';
import type { NativeCaller } from '../authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { writeInvoice } from '../../../core/invoices/write-invoice.ts';
import { readKey } from '../idempotency.ts';
import { contentOf } from './content.ts';
import type { CreateInvoice } from './schemas.ts';
import { viewOf } from './view.ts';

const OPERATION = 'POST /invoices';

export interface InvoiceCreation {
  readonly caller: NativeCaller;
  readonly body: CreateInvoice;
  readonly rawBody: JsonValue;
  readonly idempotencyKey: string | undefined;
}

/** Stores an invoice and issues it if wanted. */
export async function createInvoice(
  deps: ApiDependencies,
  { caller: { scope, application }, body, rawBody, idempotencyKey }: InvoiceCreation,
): Promise<RouteReply<InvoiceView> | ReplayReply> {
  const outcome = await writeInvoice(deps, {
    scope,
    applicationName: application.name,
    reference: invoiceReference(),
    key: readKey({ scope, operation: OPERATION, given: idempotencyKey }),
    content: contentOf(deps, { body, rules: application }),
    issue: body.issue,
    lease: { fingerprint: sha256(canonicalJson(rawBody)) },
  });
  return outcome.kind === 'replay'
    ? { status: outcome.status, text: outcome.text, headers: { 'Idempotent-Replayed': 'true' } }
    : { status: 201, data: await viewOf(deps, outcome.made), message: 'Resource created', ...outcome.keep };
}
