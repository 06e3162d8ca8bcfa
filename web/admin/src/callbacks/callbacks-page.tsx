import { Button, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useSearch } from '@tanstack/react-router';
import { api, type Schemas } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { List } from '../parts/list.tsx';
import { RawText } from '../parts/raw-text.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { CALLBACK_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

type Callback = Schemas['GatewayCallback'];

export function CallbacksPage() {
  const words = useWords(CALLBACK_WORDS);
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/callbacks' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'reference', type: 'search', label: words.reference },
          { name: 'outcome', label: words.outcome, options: words.outcomes },
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['callbacks', mode, filter]}
        get={(page) => api.GET('/admin/gateway-callbacks', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          { name: words.received, cell: ({ createdAt }) => <Instant at={createdAt} isExact /> },
          { name: words.gateway, from: 'sm', cell: ({ gateway }) => gateway },
          { name: words.kind, from: 'md', cell: ({ kind }) => kind },
          { name: words.reference, from: 'md', cell: ({ reference }) => reference ?? '–' },
          { name: words.outcome, cell: ({ outcome }) => words.outcomes[outcome] },
          { name: words.payload, cell: (callback) => <Payload callback={callback} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}

function Payload({ callback }: { readonly callback: Callback }) {
  const words = useWords(CALLBACK_WORDS);
  const { language } = useLanguage();
  const [isOpen, { open, close }] = useDisclosure(false);
  const { matchedPaymentId, note } = callback;
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        {words.show}
      </Button>
      {isOpen && (
        <Dialog title={words.outcomes[callback.outcome]} close={close}>
          <Stack>
            {note !== null && <Text>{note}</Text>}
            <Facts
              facts={[
                [words.signature, callback.signatureValid ? words.valid : words.invalid],
                [words.repeats, countOf(callback.repeats, language)],
                [words.kind, callback.kind],
                [words.reference, callback.reference ?? '–'],
              ]}
            />
            {matchedPaymentId !== null && (
              <PaymentLink
                id={matchedPaymentId}
                reference={`${words.payment} ${countOf(matchedPaymentId, language)}`}
              />
            )}
            <RawText text={callback.rawPayload} label={words.payload} />
          </Stack>
        </Dialog>
      )}
    </>
  );
}
