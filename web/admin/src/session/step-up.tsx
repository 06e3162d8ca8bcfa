import { Button, Group, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback, useState, type ReactNode } from 'react';
import { api, ApiError, dataOf, keepCsrfToken } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useLanguage } from '../words/language.tsx';
import { secondFactorOf } from './code.ts';
import { ME, useMe } from './session.tsx';
import { useChange } from '../parts/use-change.ts';

/** The person closed the dialog; nothing was done. */
export class StepUpCancelled extends Error {}

type Act = <Result>(what: string, action: () => Promise<Result>) => Promise<Result>;

interface Waiting {
  readonly what: string;
  readonly confirmed: () => void;
  readonly cancelled: () => void;
}

const Context = createContext<Act | null>(null);

/**
 * Returns a function that does something sensitive. If the API wants the password again, a dialog repeats in words what is about to be done, and the
 * action is sent once more after it. @throws StepUpCancelled, and whatever the action throws
 */
export function useSensitive(): Act {
  const act = use(Context);
  if (act === null) {
    throw new Error('useSensitive needs a StepUpProvider');
  }
  return act;
}

export function StepUpProvider({ children }: { readonly children: ReactNode }) {
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const act = useCallback<Act>(async (what, action) => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'REAUTH_REQUIRED')) {
        throw error;
      }
    }
    await new Promise<void>((confirmed, refuse) => {
      setWaiting({ what, confirmed, cancelled: () => refuse(new StepUpCancelled()) });
    });
    return await action();
  }, []);
  return (
    <Context value={act}>
      {children}
      {waiting !== null && <Confirmation waiting={waiting} close={() => setWaiting(null)} />}
    </Context>
  );
}

function Confirmation({ waiting, close }: { readonly waiting: Waiting; readonly close: () => void }) {
  const { words } = useLanguage();
  const { operator } = useMe();
  const queries = useQueryClient();
  const confirm = useChange({
    mutationFn: (form: FormData) => {
      const password = textOf(form, 'password');
      return dataOf(api.POST('/auth/reauth', { body: { password, ...secondFactorOf(textOf(form, 'code')) } }));
    },
    onSuccess: async ({ csrfToken }) => {
      keepCsrfToken(csrfToken);
      close();
      waiting.confirmed();
      await queries.invalidateQueries({ queryKey: ME.queryKey });
    },
  });
  const giveUp = () => {
    close();
    waiting.cancelled();
  };
  return (
    <Dialog title={words.stepUp.title} close={giveUp}>
      <Form submit={(form) => confirm.mutate(form)}>
        <Text>{words.stepUp.why}</Text>
        <Text fw={600}>{waiting.what}</Text>
        <PasswordInput
          name="password"
          label={words.login.password}
          autoComplete="current-password"
          required
          data-autofocus
        />
        {operator.secondFactor && (
          <TextInput name="code" label={words.login.code} autoComplete="one-time-code" required />
        )}
        {confirm.error !== null && <ErrorNotice error={confirm.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={giveUp}>
            {words.cancel}
          </Button>
          <Button type="submit" loading={confirm.isPending}>
            {words.stepUp.submit}
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}
