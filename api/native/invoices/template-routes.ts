import type { ApiDependencies } from '../../dependencies.ts';
import { route, type Route } from '../../http/route.ts';
import type { NativeCaller } from '../authenticate.ts';
import { CREDENTIAL_ERRORS } from '../errors.ts';
import { TAG, WITH_BODY } from './route-terms.ts';
import { SetTemplate, Template } from './schemas.ts';
import { findTemplate, setTemplate, templateView } from './template.ts';

export function readTemplate(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/invoices/template',
    operationId: 'getInvoiceTemplate',
    tag: TAG,
    summary: 'Retrieve the invoice template',
    auth: 'credential',
    response: { status: 200, schema: Template },
    errors: CREDENTIAL_ERRORS,
    handler: async ({ caller }: { caller: NativeCaller }) => ({
      status: 200,
      data: templateView(await findTemplate(deps, caller)),
    }),
  });
}

export function writeTemplate(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'PUT',
    path: '/invoices/template',
    operationId: 'setInvoiceTemplate',
    tag: TAG,
    summary: 'Replace the invoice template for both modes',
    description: 'Omitted values are removed.',
    auth: 'credential',
    body: SetTemplate,
    response: { status: 200, schema: Template },
    errors: ['VALIDATION_ERROR', ...WITH_BODY, ...CREDENTIAL_ERRORS],
    handler: async ({ caller, body }: { caller: NativeCaller; body: SetTemplate }) => ({
      status: 200,
      data: templateView(await setTemplate(deps, caller, body)),
    }),
  });
}
