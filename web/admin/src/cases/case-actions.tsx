import { Alert, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { CORRECTION_ACCOUNTS } from '../../../../domain/payouts/reconciliation.ts';
import { Act, Note } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { InvalidField } from '../parts/invalid-field.ts';
import { ReasonField } from '../parts/reason-field.tsx';
import { minorUnitsOf, plainTextOf } from '../payments/amount-text.ts';
import { useMay, useMe } from '../session/session.tsx';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { refreshedBy } from './refreshed-by.ts';
import { CASE_WORDS } from './words.ts';

type Case = Schemas['ReconciliationCaseDetail'];
type Entry = Case['entries'][number];
type Action = Schemas['CaseAction'];

/** What people can do with a case now. The server decides what is allowed. */
export function CaseActions({ found }: { readonly found: Case }) {
  const may = useMay();
  if (found.state === 'RESOLVED' || !may('reconciliation:manage')) {
    return null;
  }
  const waiting = found.entries.find(({ needsSecond, endedAt }) => needsSecond && endedAt === null);
  if (waiting === undefined) {
    return <Choices found={found} />;
  }
  // If another action waits by now, a dialog that was opened for this one closes.
  return <Second key={waiting.id} found={found} waiting={waiting} />;
}

function Choices({ found }: { readonly found: Case }) {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  const { operator } = useMe();
  const may = useMay();
  const { reference } = found;
  const refresh = refreshedBy(reference);
  const params = { path: { reference } };
  const act = (body: Action) => dataOf(api.POST('/admin/reconciliation/cases/{reference}/actions', { params, body }));
  return (
    <Group>
      {found.owner?.id === operator.id ? (
        <Act
          label={words.release}
          what={words.releaseAct}
          run={() => dataOf(api.POST('/admin/reconciliation/cases/{reference}/release', { params }))}
          refresh={refresh}
        >
          <Note>{words.releaseNote}</Note>
        </Act>
      ) : (
        <Act
          label={words.take}
          what={words.takeAct}
          run={() => dataOf(api.POST('/admin/reconciliation/cases/{reference}/assign', { params, body: {} }))}
          refresh={refresh}
        >
          <Note>{words.takeNote}</Note>
        </Act>
      )}
      <Act
        label={words.note}
        what={words.noteAct}
        run={(form) =>
          dataOf(
            api.POST('/admin/reconciliation/cases/{reference}/notes', { params, body: { text: textOf(form, 'text') } }),
          )
        }
        refresh={refresh}
      >
        <Textarea name="text" label={words.text} required maxLength={2_000} data-autofocus />
      </Act>
      <Act label={words.ask} what={words.askAct} run={() => act({ action: 'query-gateway' })} refresh={refresh}>
        <Note>{words.askNote}</Note>
      </Act>
      {may('refund:create') && found.kind === 'result' && <RefundAct found={found} act={act} />}
      <Act
        label={words.correct}
        what={words.correctAct}
        run={(form) => act({ action: 'post-correction', account: accountOf(form), reason: textOf(form, 'reason') })}
        refresh={refresh}
      >
        <NativeSelect
          name="account"
          label={words.account}
          data={CORRECTION_ACCOUNTS.map((account) => ({ value: account, label: words.accounts[account] }))}
        />
        <ReasonField label={words.decisionReason} />
      </Act>
      <Act
        label={words.accept}
        what={words.acceptAct(moneyOf(found, language))}
        run={(form) => act({ action: 'accept', reason: textOf(form, 'reason') })}
        refresh={refresh}
      >
        <Note>{words.acceptNote}</Note>
        <ReasonField label={words.decisionReason} />
      </Act>
    </Group>
  );
}

function RefundAct({ found, act }: { readonly found: Case; readonly act: (body: Action) => Promise<unknown> }) {
  const words = useWords(CASE_WORDS);
  const { currency, amountMinor } = found;
  return (
    <Act
      label={words.refund}
      what={words.refundAct}
      run={(form) => {
        const wanted = minorUnitsOf(textOf(form, 'amount'), currency);
        if (wanted === null) {
          throw new InvalidField(words.wrongAmount);
        }
        return act({ action: 'create-refund', amountMinor: wanted, reason: textOf(form, 'reason') });
      }}
      refresh={refreshedBy(found.reference)}
    >
      <TextInput
        name="amount"
        label={words.refundAmount(currency)}
        defaultValue={plainTextOf(Math.abs(amountMinor), currency)}
        inputMode="decimal"
        required
        data-autofocus
      />
      <ReasonField label={words.decisionReason} />
    </Act>
  );
}

function accountOf(form: FormData) {
  const account = textOf(form, 'account');
  return CORRECTION_ACCOUNTS.find((one) => one === account) ?? 'differences';
}

/** An action that one person has asked for and that a second one has to agree to, as they have read it. */
function Second({ found, waiting }: { readonly found: Case; readonly waiting: Entry }) {
  const words = useWords(CASE_WORDS);
  const { operator } = useMe();
  const { reference } = found;
  const { action, movement, account } = waiting;
  const what = [
    action === null ? '' : words.actions[action],
    movement,
    account === null ? null : words.accounts[account],
  ]
    .filter((part) => part !== null && part !== '')
    .join(', ');
  const isOwn = waiting.operator?.id === operator.id;
  const params = { path: { reference } };
  return (
    <Alert color="orange" title={words.waits(what)}>
      <Stack align="flex-start">
        {waiting.text !== null && <Text className="breaks">{waiting.text}</Text>}
        {isOwn && <Text>{words.ownWaits}</Text>}
        <Group>
          {!isOwn && (action === 'accept' || action === 'post-correction') && (
            <Act
              label={words.second}
              what={words.secondAct(what)}
              run={() =>
                dataOf(
                  api.POST('/admin/reconciliation/cases/{reference}/actions/second', {
                    params,
                    body: {
                      action,
                      ...(movement === null ? {} : { movement }),
                      ...(account === null ? {} : { account }),
                    },
                  }),
                )
              }
              refresh={refreshedBy(reference)}
            >
              <Note>{words.secondNote}</Note>
            </Act>
          )}
          <Act
            label={words.withdraw}
            what={words.withdrawAct}
            run={() => dataOf(api.POST('/admin/reconciliation/cases/{reference}/actions/withdraw', { params }))}
            refresh={refreshedBy(reference)}
          >
            <Note>{words.withdrawNote}</Note>
          </Act>
        </Group>
      </Stack>
    </Alert>
  );
}
