import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  base: "./", // the files of dist/ work under any path
  server: {
    // In development the page comes from Vite and the hub from elsewhere, but the browser sees one origin.
    proxy: { "^/t/": { target: loadEnv(mode, ".", "COHO_")["COHO_SERVER"] ?? "http://127.0.0.1:8080", ws: true } },
  },
}));
