import { Button, Stack, Text } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Facts } from '../parts/facts.tsx';
import { useChange } from '../parts/use-change.ts';
import { useWords } from '../words/use-words.ts';
import { PAYMENT_WORDS } from './words.ts';

/** The customer as the application names them. Their contact is shown only when a person asks for it, since each time is written to the audit log. */
export function CustomerPart({ detail }: { readonly detail: Schemas['PaymentDetail'] }) {
  const words = useWords(PAYMENT_WORDS);
  const contact = useChange({
    mutationFn: () => dataOf(api.GET('/admin/payments/{id}/customer', { params: { path: { id: detail.payment.id } } })),
  });
  const { data } = contact;
  return (
    <Stack gap="xs" align="flex-start">
      <Facts
        facts={[
          [words.customerReference, detail.customerReference],
          [words.merchantReference, detail.merchantReference ?? '–'],
          ...(data === undefined
            ? []
            : ([
                [words.name, data.name ?? '–'],
                [words.email, data.email ?? '–'],
                [words.phone, data.phone ?? '–'],
              ] as const)),
        ]}
      />
      {data === undefined && (
        <>
          <Button variant="default" size="xs" loading={contact.isPending} onClick={() => contact.mutate()}>
            {words.showContact}
          </Button>
          <Text size="sm" c="dimmed">
            {words.contactIsLogged}
          </Text>
        </>
      )}
      {contact.error !== null && <ErrorNotice error={contact.error} />}
    </Stack>
  );
}
