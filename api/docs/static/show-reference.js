const root = document.getElementById('reference');
const ofOperators = root.dataset.part === 'operators';

/** Keeps the operations of this page's part: an operation with a permission belongs to the operators' part. */
function partOf(document) {
  const paths = Object.entries(document.paths).flatMap(([path, item]) => {
    const kept = Object.entries(item).filter(([, operation]) => 'x-permission' in operation === ofOperators);
    return kept.length === 0 ? [] : [[path, Object.fromEntries(kept)]];
  });
  const used = new Set(paths.flatMap(([, item]) => Object.values(item).flatMap(({ tags }) => tags ?? [])));
  const { webhooks, ...rest } = document;
  return {
    ...rest,
    paths: Object.fromEntries(paths),
    tags: document.tags.filter(({ name }) => used.has(name) || (!ofOperators && name === 'Webhooks')),
    ...(ofOperators ? {} : { webhooks }),
  };
}

const contract = await (await fetch('/openapi.json')).json();
// Credentials are not stored in the browser, and no external validator is used.
globalThis.SwaggerUIBundle({
  spec: partOf(contract),
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  displayRequestDuration: true,
  defaultModelsExpandDepth: ofOperators ? -1 : 1,
});
