import type { z } from 'zod';
import { findInvoice } from '../../../core/invoices/find-invoice.ts';
import { DomainError } from '../../../domain/errors.ts';
import { dueMinorOf } from '../../../domain/invoice-due.ts';
import { payableUrl } from '../../../domain/invoice-view.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { IdParams } from '../../http/fields.ts';
import { route, type Route } from '../../http/route.ts';
import type { NativeCaller } from '../authenticate.ts';
import { findPayable, payableView } from './payable.ts';
import { CHANGING, TAG, type OfOne } from './route-terms.ts';
import { PayableInvoice, PayableLink, PayableParams } from './schemas.ts';

export function payableLink(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'POST',
    path: '/invoices/{id}/payable-link',
    operationId: 'createPayableLink',
    tag: TAG,
    summary: 'Retrieve an invoice’s payment link',
    description: 'The link never changes. Its page always shows the amount that is still due.',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: PayableLink },
    errors: CHANGING,
    links: {
      payableInvoice: {
        operationId: 'getPayableInvoice',
        parameters: { reference: '$response.body#/data/reference' },
      },
    },
    handler: async ({ caller, params }: OfOne) => {
      const invoice = await findInvoice(deps, caller.scope, params.id);
      if (dueMinorOf(invoice) === 0n) {
        throw new DomainError('INVALID_OPERATION_STATE', `the invoice is ${invoice.status}; nothing is due`);
      }
      const { reference } = invoice;
      return { status: 200, data: { reference, checkoutUrl: payableUrl(reference, deps.webUrl) } };
    },
  });
}

export function payable(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/pay/{reference}',
    operationId: 'getPayableInvoice',
    tag: TAG,
    summary: 'Retrieve what an invoice’s payment page shows (public)',
    auth: 'none',
    params: PayableParams,
    response: { status: 200, schema: PayableInvoice },
    errors: ['RESOURCE_NOT_FOUND', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'],
    handler: async ({ params }: { params: z.infer<typeof PayableParams> }) => ({
      status: 200,
      data: await payableView(deps, await findPayable(deps, params.reference)),
    }),
  });
}
