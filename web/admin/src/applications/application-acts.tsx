import { Group, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { dayStart, today } from '../parts/days.ts';
import { textOf } from '../parts/form.tsx';
import { InvalidField } from '../parts/invalid-field.ts';
import { minorUnitsOf, plainTextOf } from '../payments/amount-text.ts';
import { useMode } from '../shell/mode.ts';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { APPLICATION_WORDS } from './words.ts';

type Application = Schemas['Application'];

const POLICIES = ['REVIEW', 'REFUND'] as const;

function refreshedBy(id: number) {
  return [['application', id.toString()], ['applications'], ['changes'], ['inbox']];
}

export function ApplicationActs({ application }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const { id, name, status } = application;
  const params = { path: { id } };
  return (
    <Group>
      <SettingsAct application={application} />
      <Act
        label={words.recover}
        what={words.recoverAct(name)}
        run={(form) =>
          dataOf(
            api.POST('/admin/apps/{id}/webhooks/recover', {
              params,
              body: { since: dayStart(textOf(form, 'since')), mode },
            }),
          )
        }
        refresh={[['webhooks'], ['inbox']]}
        done={({ recovered }) => words.recovered(countOf(recovered, language))}
      >
        <TextInput name="since" type="date" label={words.since} defaultValue={today()} required data-autofocus />
      </Act>
      {status === 'ACTIVE' ? (
        <Act
          color="red"
          label={words.disable}
          what={words.disableAct(name)}
          run={() => dataOf(api.POST('/admin/apps/{id}/disable', { params }))}
          refresh={refreshedBy(id)}
        >
          <Note>{words.disableNote}</Note>
        </Act>
      ) : (
        <Act
          label={words.enable}
          what={words.enableAct(name)}
          run={() => dataOf(api.POST('/admin/apps/{id}/enable', { params }))}
          refresh={refreshedBy(id)}
        >
          <Note>{words.enableNote}</Note>
        </Act>
      )}
    </Group>
  );
}

function SettingsAct({ application }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const { id, name, refundApprovalThresholdMinor: thresholdMinor } = application;
  return (
    <Act
      label={words.edit}
      what={words.editAct(name)}
      run={(form) => {
        const threshold = textOf(form, 'threshold');
        const thresholdNow = threshold === '' ? null : minorUnitsOf(threshold, 'BDT');
        if (threshold !== '' && thresholdNow === null) {
          throw new InvalidField(words.wrongAmount);
        }
        const typed = {
          name: textOf(form, 'name'),
          webhookUrl: textOf(form, 'webhookUrl') || null,
          testWebhookUrl: textOf(form, 'testWebhookUrl') || null,
          refundApprovalThresholdMinor: thresholdNow,
          expiryMinutes: Number(textOf(form, 'expiryMinutes')),
          returnOrigins: textOf(form, 'returnOrigins').split(/\s+/).filter(Boolean),
          unappliedPaymentPolicy: POLICIES.find((one) => one === textOf(form, 'policy')) ?? 'REVIEW',
        };
        // What another person changes meanwhile stays as they have it.
        const body = Object.fromEntries(
          Object.entries(typed).filter(
            ([member, value]) => JSON.stringify(value) !== JSON.stringify(application[member as keyof typeof typed]),
          ),
        );
        return dataOf(api.PATCH('/admin/apps/{id}/settings', { params: { path: { id } }, body }));
      }}
      refresh={refreshedBy(id)}
      done={({ pendingChanges }) => (pendingChanges.length > 0 ? words.waits : words.saved)}
    >
      <TextInput name="name" label={words.name} defaultValue={name} maxLength={100} required data-autofocus />
      <TextInput name="webhookUrl" type="url" label={words.webhookUrl} defaultValue={application.webhookUrl ?? ''} />
      <TextInput
        name="testWebhookUrl"
        type="url"
        label={words.testWebhookUrl}
        defaultValue={application.testWebhookUrl ?? ''}
      />
      <TextInput
        name="threshold"
        label={words.thresholdBdt}
        placeholder={words.noThreshold}
        defaultValue={thresholdMinor === null ? '' : plainTextOf(thresholdMinor, 'BDT')}
        inputMode="decimal"
      />
      <TextInput
        name="expiryMinutes"
        type="number"
        label={words.expiryMinutes}
        defaultValue={application.expiryMinutes}
        min={1}
        required
      />
      <Textarea
        name="returnOrigins"
        label={words.returnOrigins}
        description={words.oneInEachLine}
        defaultValue={application.returnOrigins.join('\n')}
        rows={3}
      />
      <NativeSelect
        name="policy"
        label={words.policy}
        defaultValue={application.unappliedPaymentPolicy}
        data={POLICIES.map((policy) => ({ value: policy, label: words.policies[policy] }))}
      />
    </Act>
  );
}

export function EnableEndpointAct({ id, mode }: { readonly id: number; readonly mode: 'TEST' | 'LIVE' }) {
  const words = useWords(APPLICATION_WORDS);
  return (
    <Act
      size="xs"
      label={words.enableEndpoint}
      what={words.enableEndpointAct(mode)}
      run={() =>
        dataOf(api.POST('/admin/apps/{id}/webhook-endpoint/enable', { params: { path: { id }, query: { mode } } }))
      }
      refresh={refreshedBy(id)}
    >
      <Note>{words.enableEndpointNote}</Note>
    </Act>
  );
}
