// The policy of the box allows scripts from files only, so this is not in the page.
globalThis.SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#api', deepLinking: true, docExpansion: 'list' })
