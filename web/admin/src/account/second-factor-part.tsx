import { Button, Code, List, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { ME, useMe } from '../session/session.tsx';
import { StepUpCancelled, useSensitive } from '../session/step-up.tsx';
import { useLanguage } from '../words/language.tsx';
import { QrPicture } from './qr-picture.tsx';
import { useChange } from '../parts/use-change.ts';

/** Setting up a second factor, and removing it. */
export function SecondFactorPart() {
  const { words } = useLanguage();
  const { operator } = useMe();
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ME.queryKey });
  const setUp = useChange({
    mutationFn: () => sensitive(words.account.setUp, () => dataOf(api.POST('/auth/totp'))),
  });
  const confirm = useChange({
    mutationFn: (code: string) =>
      sensitive(words.account.setUp, () => dataOf(api.POST('/auth/totp/confirm', { body: { code } }))),
    onSuccess: refresh,
  });
  const remove = useChange({
    mutationFn: () => sensitive(words.account.remove, () => bodyOf(api.DELETE('/auth/totp'))),
    onSuccess: refresh,
  });
  const error = setUp.error ?? remove.error;
  return (
    <Stack component="section" aria-labelledby="second-factor" align="flex-start">
      <Title order={2} size="h4" id="second-factor">
        {words.account.secondFactor}
      </Title>
      <Text>{operator.secondFactor ? words.account.isSetUp : words.account.isMissing}</Text>
      {error !== null && !(error instanceof StepUpCancelled) && <ErrorNotice error={error} />}
      {confirm.data !== undefined && <RecoveryCodes codes={confirm.data.recoveryCodes} />}
      {operator.secondFactor ? (
        <Button variant="default" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          {words.account.remove}
        </Button>
      ) : setUp.data === undefined ? (
        <Button loading={setUp.isPending} onClick={() => setUp.mutate()}>
          {words.account.setUp}
        </Button>
      ) : (
        <Confirmation
          setup={setUp.data}
          error={confirm.error}
          isPending={confirm.isPending}
          confirm={(code) => confirm.mutate(code)}
        />
      )}
    </Stack>
  );
}

function Confirmation({
  setup,
  error,
  isPending,
  confirm,
}: {
  readonly setup: Schemas['TotpSetup'];
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly confirm: (code: string) => void;
}) {
  const { words } = useLanguage();
  return (
    <Form submit={(form) => confirm(textOf(form, 'code'))}>
      <Text>{words.account.scan}</Text>
      <QrPicture text={setup.uri} label={words.account.qr} />
      <Text className="breaks">
        {words.account.secret} <Code>{setup.secret}</Code>
      </Text>
      <TextInput name="code" label={words.login.appCode} inputMode="numeric" autoComplete="one-time-code" required />
      {error !== null && !(error instanceof StepUpCancelled) && <ErrorNotice error={error} />}
      <Button type="submit" loading={isPending}>
        {words.account.confirm}
      </Button>
    </Form>
  );
}

function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  const { words } = useLanguage();
  return (
    <Stack role="status" gap="xs">
      <Text fw={600}>{words.account.recoveryCodes}</Text>
      <List>
        {codes.map((code) => (
          <List.Item key={code}>
            <Code>{code}</Code>
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}
