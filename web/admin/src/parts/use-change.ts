import { useMutation, type UseMutationOptions } from '@tanstack/react-query';
import { useRef } from 'react';

/** Like `useMutation`, but while it runs it is not started again: the second click of a double click comes before a button can be disabled. */
export function useChange<Data, Variables = void>(options: UseMutationOptions<Data, Error, Variables>) {
  const isRunning = useRef(false);
  const change = useMutation(options);
  const mutate = (variables: Variables): void => {
    if (isRunning.current) {
      return;
    }
    isRunning.current = true;
    change.mutate(variables, {
      onSettled: () => {
        isRunning.current = false;
      },
    });
  };
  return { ...change, mutate };
}
