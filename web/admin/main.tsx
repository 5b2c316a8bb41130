import '../shared/theme.css'
import './styles/admin.css'
import './styles/screens.css'
import './styles/connect.css'
import './styles/payments.css'
import './styles/sell.css'
import './styles/reports.css'
import './styles/print.css'
import { render } from 'preact'
import { App } from './app.tsx'

const place = document.getElementById('app')
if (place) render(<App />, place)
