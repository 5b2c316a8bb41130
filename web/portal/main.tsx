import { render } from 'preact'
import '../shared/theme.css'
import './portal.css'
import { App } from './app.tsx'

const root = document.getElementById('app')
if (root) render(<App />, root)
