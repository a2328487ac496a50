import { defineConfig } from "vite";

// What the browser gets is two files with their hash in the name, and index.html. Nothing is written
// into the HTML or loaded as a data: address, so that the Content-Security-Policy needs no exception.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npm run dev` shows the page of the work tree with a server that runs beside it.
  server: { proxy: { "/v1": process.env["PREMISE_URL"] ?? "http://127.0.0.1:8080" } },
});
