import { QueryClient } from "@tanstack/react-query";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // whether the node answers is found by asking it
      networkMode: "always",
      retry: 1,
      retryDelay: 500,
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      // amounts are bigints, which the comparison of answers can't take
      structuralSharing: false,
    },
  },
});
